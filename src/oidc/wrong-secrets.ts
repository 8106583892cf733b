import type { Context, Middleware } from 'koa'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { WrongSecret } from '#core/guesses/guesses.ts'
import type { Services } from '#core/services.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { basicClientId } from './client-authentication.ts'
import { oidcOf } from './library-context.ts'

type Wrong = Omit<WrongSecret, 'request'>

/**
 * Around the library: counts the secrets of clients and the tokens of registration that it found wrong. Clients that do
 * not exist are counted like those that do, so that waiting tells nothing. The right one is taken however many were
 * wrong: nobody guesses 256 bits, and what an old deployment sends from the same network shall not stop the new one.
 */
export function countWrongSecrets({
  guesses,
  registrationTokens,
}: Pick<Services, 'guesses' | 'registrationTokens'>): Middleware {
  return async (ctx, next) => {
    await next()
    const wrong = ctx.status === 401 ? (wrongToken(ctx) ?? wrongClientSecret(ctx)) : undefined
    if (!wrong) return
    const isSpent = wrong.event === 'guessing.token' && (await registrationTokens.wasGiven(wrong.secret))
    if (!isSpent) await guesses.countWrongSecret({ ...wrong, request: factsOf(ctx.req) })
  }
}

/** RFC 7591 §3, RFC 7592 §2 */
function wrongToken(ctx: Context): Wrong | undefined {
  const [, token] = /^bearer (.+)$/i.exec(ctx.get('Authorization')) ?? []
  if (token === undefined || !/^\/register(\/|$)/.test(ctx.path)) return undefined
  const hint = 'Use the registration token that you were given, or make a new one: latchkey registration-token create.'
  return { event: 'guessing.token', of: ctx.path, secret: token, hint }
}

function wrongClientSecret(ctx: Context): Wrong | undefined {
  const sent = sentInHeader(ctx) ?? sentInBody(ctx)
  const hint = 'Give the application its secret, or make a new one: latchkey client rotate-secret ID. Then wait.'
  return sent && { event: 'guessing.client_secret', hint, ...sent }
}

type Sent = Pick<Wrong, 'of' | 'secret'>

function sentInHeader(ctx: Context): Sent | undefined {
  const id = basicClientId(ctx)
  return id === undefined ? undefined : { of: id, secret: ctx.get('Authorization') }
}

function sentInBody(ctx: Context): Sent | undefined {
  const { params, body } = oidcOf(ctx) ?? {}
  const id = params?.['client_id']
  const secret = body?.['client_secret']
  if (typeof id === 'string' && typeof secret === 'string') return { of: id, secret }
  return sentAsAssertion(body?.['client_assertion'])
}

/** Whoever signs with a secret sends something else each time, and none of it tells which secret it was: all are alike. */
function sentAsAssertion(assertion: unknown): Sent | undefined {
  if (typeof assertion !== 'string') return undefined
  try {
    const { sub } = decodeJwt(assertion)
    const isOfSecret = decodeProtectedHeader(assertion).alg?.startsWith('HS') === true
    return sub !== undefined && isOfSecret ? { of: sub, secret: 'a signature' } : undefined
  } catch {
    return undefined
  }
}
