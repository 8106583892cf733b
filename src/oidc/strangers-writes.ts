/**
 * Whoever has not signed in and is no client with a secret can still have something stored: a sign-in that waits, a
 * pushed request, a device's code, a session that only holds a form. It is stored for half an hour, with all that was
 * sent, so that without a bound a single stranger fills the disk. The bound is on bytes, not on requests: a sign-in as
 * applications ask for it costs some 1.6 kB, and the largest that fits ten times as much. It is kept in each process,
 * costs no query, and sheds load; it is no secret's guard.
 */
import type { Context, Middleware } from 'koa'
import { AppError } from '#platform/errors.ts'
import { networkOf } from '#platform/http/network.ts'
import { onPaths } from '#platform/http/on-paths.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { tokenBuckets } from '#platform/token-buckets.ts'
import { oidcOf } from './library-context.ts'

const STORING = new Set(['/authorize', '/par', '/device_authorization', '/device', '/logout', '/logout/confirm'])

interface Bound {
  /** At once. */
  readonly bytes: number
  readonly bytesPerSecond: number
}

/** 40,000 people behind one address, such as a proxy's, at once, and then 500 more each second; IPv6: of a /64. */
const OF_A_NETWORK: Bound = { bytes: 64_000_000, bytesPerSecond: 800_000 }
/** Two such networks; the half hour that a sign-in waits, some 2.6 GB in the database at most. */
const OF_ALL: Bound = { bytes: 128_000_000, bytesPerSecond: 1_000_000 }
/** What a row takes besides what was sent. */
const ROW_BYTES = 1_024

/** Refuses what would be stored for strangers beyond the bound with 429; what was not stored is given back. */
export function boundStrangersWrites(ofANetwork = OF_A_NETWORK): Middleware {
  const networks = tokenBuckets(ofANetwork.bytes, ofANetwork.bytesPerSecond)
  const everybody = tokenBuckets(OF_ALL.bytes, OF_ALL.bytesPerSecond)
  return onPaths(STORING, async (ctx, next) => {
    const network = networkOf(factsOf(ctx.req).clientAddress)
    const bytes = ROW_BYTES + ctx.url.length + ctx.req.readableLength
    const giveBack = (): void => {
      networks.giveBack(network, bytes)
      everybody.giveBack('', bytes)
    }
    const ownWait = networks.take(network, bytes)
    if (ownWait !== undefined) throw tooMuch(ownWait)
    const wait = everybody.take('', bytes)
    if (wait !== undefined) {
      networks.giveBack(network, bytes)
      throw tooMuch(wait)
    }
    await next().catch((error: unknown) => {
      giveBack()
      throw error
    })
    if (ctx.status >= 400 || isKnown(ctx)) giveBack()
  })
}

/** Somebody is signed in, or a client has proven who it is. */
function isKnown(ctx: Context): boolean {
  const oidc = oidcOf(ctx)
  if (oidc?.session) return oidc.session.accountId !== undefined
  return oidc?.client !== undefined && oidc.client.tokenEndpointAuthMethod !== 'none'
}

function tooMuch(retryAfterSeconds: number): AppError {
  return new AppError('too_many_attempts', 'Too many sign-ins were begun, and left, from this network.', {
    retryAfterSeconds,
    told: { title: 'title.busy', message: 'busy', hint: 'hint.moment' },
  })
}
