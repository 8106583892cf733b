/**
 * How many wrong client secrets one network may send. They are counted in the database, for all processes, and for
 * clients that do not exist like for those that do, so that waiting tells nothing. The right one is taken however many
 * were wrong, and costs no look at the counters: nobody guesses 384 bits, and what an old deployment sends from the same
 * network shall not stop the new one.
 */
import type { Context, Middleware } from 'koa'
import type { Services } from '#core/services.ts'
import { countAttempt, type AttemptLimit } from '#platform/database/attempt-counter.ts'
import { AppError } from '#platform/errors.ts'
import { networkOf } from '#platform/http/network.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { basicClientId } from './client-authentication.ts'
import { oidcOf } from './library-context.ts'

type Needs = Pick<Services, 'database' | 'clock' | 'secrets'>

/** Of one client from one network. */
const OF_A_CLIENT = { most: 20, seconds: 900, from: 'last' } as const
/** Of all clients from one network, where an application with an old secret must not stop the others at once. */
const OF_A_NETWORK = { most: 200, seconds: 900, from: 'first' } as const

/** Around the library: counts the secrets that it found wrong. */
export function countWrongSecrets({ database, clock, secrets }: Needs): Middleware {
  return async (ctx, next) => {
    await next()
    const clientId = ctx.status === 401 ? clientRefused(ctx) : undefined
    if (clientId === undefined) return
    const limits = limitsOf(secrets, ctx, clientId)
    const wait = await countAttempt(database.db.withTables(), limits, clock.now())
    if (wait !== undefined) throw tooManySecrets(wait)
  }
}

function limitsOf(secrets: Needs['secrets'], { req }: Pick<Context, 'req'>, clientId: string): readonly AttemptLimit[] {
  const network = networkOf(factsOf(req).clientAddress)
  const keyOf = (...parts: readonly string[]) => secrets.keyedDigest('attempts', ['client-secret', ...parts].join('\0'))
  return [
    { key: keyOf('client', network, clientId), ...OF_A_CLIENT },
    { key: keyOf('network', network), ...OF_A_NETWORK },
  ]
}

/** Whom a wrong secret was sent for, if that is what was refused. */
function clientRefused(ctx: Context): string | undefined {
  const { params, body } = oidcOf(ctx) ?? {}
  const id = params?.['client_id']
  return basicClientId(ctx) ?? (body?.['client_secret'] !== undefined && typeof id === 'string' ? id : undefined)
}

function tooManySecrets(retryAfterSeconds: number): AppError {
  return new AppError('too_many_attempts', 'Too many wrong client secrets came from here.', {
    hint: 'Give the application its secret, or make a new one: latchkey client rotate-secret ID. Then wait.',
    retryAfterSeconds,
    rule: 'guessing.client_secret',
  })
}
