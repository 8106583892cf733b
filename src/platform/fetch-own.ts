/**
 * Calls to one origin that the operator has named, wherever it lies: a server that looks at itself from outside may
 * live on this machine or in a private network. What is resolved at first is what every call goes to, and no call
 * leaves the origin.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { guardedFetch, OutboundError, type GuardedFetch, type OutboundRules } from './fetch.ts'

/**
 * Makes a guarded fetch that reaches the origin alone.
 * @throws OutboundError(unreachable) where its name leads nowhere
 */
export async function originFetch(
  origin: string,
  bounds: Pick<OutboundRules, 'timeoutMs' | 'maxBytes'>,
): Promise<GuardedFetch> {
  const host = hostOf(new URL(origin))
  const addresses = await lookup(host, { all: true }).catch((cause: unknown) => {
    throw new OutboundError('unreachable', `${host} leads to no address`, cause)
  })
  const allow = addresses.map(({ address }) => address)
  const reach = guardedFetch({ ...bounds, allow, resolve: async () => addresses })
  return async (input, init) => {
    if (new URL(input).origin !== origin) throw new OutboundError('address', `${String(input)} is not of ${origin}`)
    return reach(input, init)
  }
}

/** What TLS handshakes showed. */
export interface ShownTls {
  readonly protocol: string
  /** Why the certificate is not believed, as OpenSSL or Node.js names it; undefined where it is. */
  readonly distrust: string | undefined
  /** Epoch seconds. */
  readonly validUntil: number
  /** What became of TLS 1.0 and 1.1, which RFC 8996 forbids. */
  readonly outdated: 'taken' | 'refused' | 'untried'
}

/** Shakes hands with an https origin, whatever its certificate; rejects where there is no handshake. */
export async function tlsShownBy(origin: string, timeoutMs: number): Promise<ShownTls> {
  const [shown, outdated] = await Promise.all([
    handshake(origin, timeoutMs, {}, (socket) => ({
      protocol: socket.getProtocol() ?? 'unknown',
      // the types say Error; what is there is its code
      distrust: socket.authorized ? undefined : String(socket.authorizationError),
      validUntil: Math.floor(Date.parse(socket.getPeerCertificate().valid_to) / 1000),
    })),
    handshake(origin, timeoutMs, OUTDATED, () => 'taken' as const).catch(whyNotTaken),
  ])
  return { ...shown, outdated }
}

/** OpenSSL offers these only to who lowers its guard, and some systems' not even then. */
const OUTDATED = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const

function whyNotTaken(error: NodeJS.ErrnoException): 'refused' | 'untried' {
  return error.message === TOO_SLOW || /NO_(PROTOCOLS|CIPHERS)_/.test(String(error.code)) ? 'untried' : 'refused'
}

const TOO_SLOW = 'no TLS handshake within its time'

function handshake<T>(
  origin: string,
  timeoutMs: number,
  options: ConnectionOptions,
  look: (socket: TLSSocket) => T,
): Promise<T> {
  const url = new URL(origin)
  const host = hostOf(url)
  return new Promise((resolve, reject) => {
    // nothing is sent: whom the certificate names is looked at, not spoken to
    const to = { host, port: Number(url.port || 443), servername: isIP(host) === 0 ? host : '' }
    const socket = connect({ ...to, ...options, rejectUnauthorized: false })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(TOO_SLOW)))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      resolve(look(socket))
      socket.destroy()
    })
  })
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}
