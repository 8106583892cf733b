import { randomBytes } from 'node:crypto'
import { isIPv4, isIPv6, type BlockList } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { addressList, isIn } from '#platform/address-list.ts'
import { attached } from '#platform/attached.ts'

/** What is known of a request before anything is decided about it. */
export interface RequestFacts {
  /** Names the request in the log and, where it is refused, on the page: 12 characters without look-alikes. */
  readonly id: string
  /** Where the request came from; behind trusted proxies, the right-most address that is not one of them. */
  readonly clientAddress: string
}

const facts = attached<RequestFacts>()

/** @throws Error for a request that did not come through `requestFacts`, which is a bug of the middleware table */
export function factsOf(req: IncomingMessage): RequestFacts {
  const found = facts.of(req)
  if (!found) throw new Error('the request has no facts: requestFacts must be the first middleware')
  return found
}

/** The first middleware: gives the request its id and its client's address. @param trustedProxies CIDRs or addresses */
export function requestFacts(trustedProxies: readonly string[]): Middleware {
  const read = factsReader(trustedProxies)
  return (ctx, next) => {
    const known = read(ctx.req)
    facts.to(ctx.req, known)
    ctx.res.setHeader(REQUEST_ID, known.id)
    return next()
  }
}

/** The header that tells a request its id. */
export const REQUEST_ID = 'X-Request-Id'

/** Gives a request that meets no middleware its facts. @param trustedProxies CIDRs or addresses */
export function factsReader(trustedProxies: readonly string[]): (req: IncomingMessage) => RequestFacts {
  const trusted = addressList(trustedProxies)
  const newId = requestIds()
  return (req) => ({ id: newId(), clientAddress: clientAddress(req, trusted) })
}

/**
 * Walks X-Forwarded-For from the right, as long as the hop that wrote the entry is trusted. What stands further left
 * was written by strangers, so a client cannot choose the address it is counted under.
 */
function clientAddress(req: IncomingMessage, trusted: BlockList): string {
  let address = plainAddress(req.socket.remoteAddress ?? '')
  const forwarded = req.headers['x-forwarded-for']
  if (forwarded === undefined) return address
  const hops = String(forwarded)
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

/** An IPv4 address that arrived on an IPv6 socket counts as the IPv4 address; a zone is of any length, and no client's. */
function plainAddress(address: string): string {
  const [plain = ''] = address.split('%', 1)
  return /^::ffff:/i.test(plain) && isIPv4(plain.slice(7)) ? plain.slice(7) : plain
}

/** Crockford's base 32: no letter that is read as another. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

const ID_CHARACTERS = 12
/** Random bytes cost nearly the same for a thousand ids as for one: 2 µs a request are saved. */
const IDS_AT_ONCE = 1_000

function requestIds(): () => string {
  let bytes = Buffer.alloc(0)
  let at = 0
  return () => {
    if (at === bytes.length) {
      bytes = randomBytes(IDS_AT_ONCE * ID_CHARACTERS)
      at = 0
    }
    let id = ''
    for (const end = at + ID_CHARACTERS; at < end; at += 1) id += ALPHABET[(bytes[at] ?? 0) & 31]
    return id
  }
}
