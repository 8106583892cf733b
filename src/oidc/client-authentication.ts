/**
 * How clients prove who they are, where we ask more of it than the library does. While a secret is rotated two of them
 * authenticate (RFC 6749 §2.3.1); whatever is signed with a secret knows the newest only.
 */
import type { Context } from 'koa'
import { errors, type Client, type Configuration, type Provider } from 'oidc-provider'
import { digest, equalSecrets, randomToken } from '#core/secrets.ts'
import { judgeFapi2Assertion } from './fapi2.ts'

/** The member under which core/clients hands the library the secret before the newest, while it holds. */
export const PREVIOUS_SECRET = 'previous_secret'

interface ComparesSecrets {
  compareClientSecret(this: Client, actual: string): boolean | Promise<boolean>
}

/**
 * Lets the secret before the newest authenticate too. Both are compared each time, and a stand-in where there is one
 * only, so that the time it takes tells nobody whether a rotation is under way. The method is one that the library's
 * types leave out; test/flows/secret-overlap.test.ts fails if it goes away.
 */
export function takePreviousSecret({ Client: model }: Provider): void {
  // boundary: see above
  const prototype = model.prototype as unknown as ComparesSecrets
  const isNewest = prototype.compareClientSecret
  const nobodys = randomToken()
  prototype.compareClientSecret = async function (actual) {
    const previous = this[PREVIOUS_SECRET]
    const isPrevious = equalSecrets(digest(actual), digest(typeof previous === 'string' ? previous : nobodys))
    const newest = await isNewest.call(this, actual)
    return newest || isPrevious
  }
}

/** The client id in HTTP Basic, as the library reads it (RFC 6749 §2.3.1); undefined where there is none that it would read. */
export function basicClientId(ctx: Pick<Context, 'get'>): string | undefined {
  const [, pair = ''] = /^basic (.+)$/i.exec(ctx.get('Authorization')) ?? []
  const [user = '', ...secret] = Buffer.from(pair, 'base64').toString().split(':')
  if (user === '' || secret.length === 0) return undefined
  try {
    return decodeURIComponent(user.replaceAll('+', '%20'))
  } catch {
    return undefined
  }
}

const CLOCK_TOLERANCE_SECONDS = 15
const LONGEST_ASSERTION_SECONDS = 86_400

/**
 * What the library leaves to us of an assertion whose signature holds: it was not made in the future, and does not live
 * for longer than a day, since its `jti` is remembered for as long (RFC 7523 §3).
 * @throws InvalidClientAuth
 */
export const judgeAssertion: NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']> = async (
  ctx,
  claims,
  header,
  client,
) => {
  const now = Math.floor(Date.now() / 1000)
  if (typeof claims['iat'] === 'number' && claims['iat'] > now + CLOCK_TOLERANCE_SECONDS)
    throw new errors.InvalidClientAuth('the client_assertion was issued in the future')
  if (!(Number(claims['exp']) <= now + CLOCK_TOLERANCE_SECONDS + LONGEST_ASSERTION_SECONDS))
    throw new errors.InvalidClientAuth('the client_assertion lives for longer than a day')
  await judgeFapi2Assertion(ctx, claims, header, client)
}
