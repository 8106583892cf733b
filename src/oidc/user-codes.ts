import { Provider } from 'oidc-provider'
import type { Budget, Guess } from '#core/guesses/guesses.ts'
import type { Services } from '#core/services.ts'
import { networkOf } from '#platform/http/network.ts'
import { factsOf } from '#platform/http/request-facts.ts'

/**
 * Of one address (IPv6: of one /64) and of one browser. No code lives as long as the pause, so a code that is wanted
 * is met by 5 guesses of 20^8 at most: less than 2^-32 (RFC 8628 §5.1).
 */
const WRONG_CODES = { event: 'guessing.user_code', most: 5, seconds: 900, from: 'last' } as const

/** Of everybody: with many addresses too, a code that is wanted is met with less than 2^-25. */
const WRONG_CODES_OF_ALL = { event: 'guessing.user_code', most: 200, seconds: 900, from: 'first' } as const

/**
 * Lets a provider look up a user code only while its guesses are not used up; what was found is given back. The
 * lookup is a static method of the library's model.
 * @throws AppError(too_many_attempts) from the lookup
 */
export function limitUserCodes(provider: Provider, { guesses }: Pick<Services, 'guesses'>): void {
  const model = provider.DeviceCode
  const find = model.findByUserCode.bind(model)

  model.findByUserCode = async (...args) => {
    const guess = guessNow()
    await guesses.count(guess)
    const code = await find(...args)
    // whoever has a device gets codes that are right: they do not make wrong ones forgotten
    if (code) await guesses.wasRight(guess, 'give-back')
    return code
  }
}

function guessNow(): Guess {
  const { ctx } = Provider
  if (!ctx?.oidc.session) throw new Error('a user code was looked up outside of a request with a session')
  const request = factsOf(ctx.req)
  const own: readonly Budget[] = [
    { of: ['user-code', 'network', networkOf(request.clientAddress)], ...WRONG_CODES },
    { of: ['user-code', 'browser', ctx.oidc.session.uid], ...WRONG_CODES },
    { of: ['user-code', 'all', ''], ...WRONG_CODES_OF_ALL },
  ]
  return {
    request,
    own,
    advice: {
      hint: 'Wait, get a new code from your device, and type that.',
      told: { message: 'too-many-codes', hint: 'hint.wait-for-code' },
    },
  }
}
