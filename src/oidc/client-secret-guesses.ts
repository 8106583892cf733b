/**
 * How many wrong client secrets one network may send. They are counted in the database, for all processes, and for
 * clients that do not exist like for those that do, so that waiting tells nothing. Once too many were wrong, the right one is
 * refused too. What strangers guess elsewhere locks no client out; so there is no budget of the whole server, and none is
 * needed: a secret has 256 bits.
 */
import type { Context, Middleware } from 'koa'
import { Provider, type KoaContextWithOIDC } from 'oidc-provider'
import type { Services } from '#core/services.ts'
import { countAttempt, secondsToWaitFor, type AttemptLimit } from '#platform/database/attempt-counter.ts'
import { AppError } from '#platform/errors.ts'
import { networkOf } from '#platform/http/network.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import type { ComparesSecrets } from './client-authentication.ts'

type Needs = Pick<Services, 'database' | 'clock' | 'secrets'>

/** Of one client from one network. */
const OF_A_CLIENT = { most: 20, seconds: 900, from: 'last' } as const
/** Of all clients from one network, where an application with an old secret must not stop the others at once. */
const OF_A_NETWORK = { most: 200, seconds: 900, from: 'first' } as const

/**
 * Lets a provider compare secrets only while there were not too many wrong ones, which costs one look.
 * @throws AppError(too_many_attempts) from the comparison
 */
export function refuseManySecrets({ Client: model }: Provider, { database, clock, secrets }: Needs): void {
  // boundary: the library's types leave the method out, see client-authentication.ts
  const prototype = model.prototype as unknown as ComparesSecrets
  const compare = prototype.compareClientSecret
  prototype.compareClientSecret = async function (actual) {
    const ctx = Provider.ctx
    if (!ctx) throw new Error('a secret was compared outside of a request')
    const limits = limitsOf(secrets, ctx, this.clientId)
    const wait = await secondsToWaitFor(database.db.withTables(), limits, clock.now())
    if (wait !== undefined) throw tooManySecrets(wait)
    return compare.call(this, actual)
  }
}

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
  // boundary: the library leaves its context on the request that it answered
  const { params, body } = (ctx as Context & Partial<Pick<KoaContextWithOIDC, 'oidc'>>).oidc ?? {}
  const pair = /^basic (.+)$/i.exec(ctx.get('Authorization'))?.[1]
  if (pair !== undefined) return Buffer.from(pair, 'base64').toString().split(':', 1)[0]
  const id = params?.['client_id']
  return body?.['client_secret'] !== undefined && typeof id === 'string' ? id : undefined
}

function tooManySecrets(retryAfterSeconds: number): AppError {
  return new AppError(
    'too_many_attempts',
    'Too many wrong client secrets came from here; this one was not looked at.',
    {
      hint: 'Give the application its secret, or make a new one: latchkey client rotate-secret ID. Then wait.',
      retryAfterSeconds,
      rule: 'guessing.client_secret',
    },
  )
}
