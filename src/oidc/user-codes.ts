import { Provider } from 'oidc-provider'
import type { Services } from '#core/services.ts'
import { countAttempt, giveBackAttempt, type AttemptLimit } from '#platform/database/attempt-counter.ts'
import { AppError } from '#platform/errors.ts'
import { networkOf } from '#platform/http/network.ts'
import { factsOf } from '#platform/http/request-facts.ts'

/**
 * Of one address (IPv6: of one /64) and of one browser. No code lives as long as the pause, so a code that is wanted
 * is met by 5 guesses of 20^8 at most: less than 2^-32 (RFC 8628 §5.1).
 */
const WRONG_CODES = { most: 5, seconds: 900, from: 'last' } as const

/** Of everybody: with many addresses too, a code that is wanted is met with less than 2^-25. */
const WRONG_CODES_OF_ALL = { most: 200, seconds: 900, from: 'first' } as const

/**
 * Lets a provider look up a user code only while its guesses are not used up; what was found is given back. The
 * lookup is a static method of the library's model.
 * @throws AppError(too_many_attempts) from the lookup
 */
export function limitUserCodes(provider: Provider, services: Pick<Services, 'database' | 'clock' | 'secrets'>): void {
  const { database, clock, secrets } = services
  const db = database.db.withTables()
  const model = provider.DeviceCode
  const find = model.findByUserCode.bind(model)
  const keyOf = (kind: string, who: string) => secrets.keyedDigest('attempts', `user-code\0${kind}\0${who}`)

  const limitsNow = (): readonly AttemptLimit[] => {
    const ctx = Provider.ctx
    if (!ctx?.oidc.session) throw new Error('a user code was looked up outside of a request with a session')
    const network = networkOf(factsOf(ctx.req).clientAddress)
    return [
      // who is refused here does not use up what everybody shares
      { key: keyOf('network', network), ...WRONG_CODES },
      { key: keyOf('browser', ctx.oidc.session.uid), ...WRONG_CODES },
      { key: keyOf('all', ''), ...WRONG_CODES_OF_ALL },
    ]
  }

  model.findByUserCode = async (...args) => {
    const limits = limitsNow()
    const wait = await countAttempt(db, limits, clock.now())
    if (wait !== undefined) throw tooManyCodes(wait)
    const code = await find(...args)
    if (code) await giveBackAttempt(db, limits)
    return code
  }
}

function tooManyCodes(retryAfterSeconds: number): AppError {
  const minutes = Math.ceil(retryAfterSeconds / 60)
  return new AppError('too_many_attempts', 'Too many codes were typed that are not right.', {
    hint: `Wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`}, get a new code from your device, and type that.`,
    retryAfterSeconds,
    rule: 'guessing.user_code',
    told: { message: 'too-many-codes', hint: 'hint.wait-for-code' },
  })
}
