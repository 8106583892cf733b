import { randomBytes } from 'node:crypto'
import { isIPv4, isIPv6, type BlockList } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { addressList, isIn } from '#platform/address-list.ts'

/** What is known of a request before anything is decided about it. */
export interface RequestFacts {
  /** Names the request in the log and, where it is refused, on the page: 12 characters without look-alikes. */
  readonly id: string
  /** Where the request came from; behind trusted proxies, the right-most address that is not one of them. */
  readonly clientAddress: string
}

const facts = new WeakMap<IncomingMessage, RequestFacts>()

/** @throws Error for a request that did not come through `requestFacts`, which is a bug of the middleware table */
export function factsOf(req: IncomingMessage): RequestFacts {
  const found = facts.get(req)
  if (!found) throw new Error('the request has no facts: requestFacts must be the first middleware')
  return found
}

/** The first middleware: gives the request its id and its client's address. @param trustedProxies CIDRs or addresses */
export function requestFacts(trustedProxies: readonly string[]): Middleware {
  const trusted = addressList(trustedProxies)
  return async (ctx, next) => {
    const id = newRequestId()
    facts.set(ctx.req, { id, clientAddress: clientAddress(ctx.req, trusted) })
    ctx.set('X-Request-Id', id)
    await next()
  }
}

/**
 * Walks X-Forwarded-For from the right, as long as the hop that wrote the entry is trusted. What stands further left
 * was written by strangers, so a client cannot choose the address it is counted under.
 */
function clientAddress(req: IncomingMessage, trusted: BlockList): string {
  let address = plainAddress(req.socket.remoteAddress ?? '')
  const hops = String(req.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => plainAddress(hop.trim()))
  while (isIn(trusted, address)) {
    const next = hops.pop()
    if (next === undefined || (!isIPv4(next) && !isIPv6(next))) break
    address = next
  }
  return address
}

/** True where the connection itself, not an address that somebody forwarded, is one of the trusted. */
export function isFromTrustedProxy({ socket }: IncomingMessage, trusted: BlockList): boolean {
  return isIn(trusted, plainAddress(socket.remoteAddress ?? ''))
}

/** An IPv4 address that arrived on an IPv6 socket counts as the IPv4 address. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address
}

/** Crockford's base 32: no letter that is read as another. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

function newRequestId(): string {
  return Array.from(randomBytes(12), (byte) => ALPHABET[byte & 31]).join('')
}
