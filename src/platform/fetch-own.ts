/**
 * Calls to one origin that the operator has named, wherever it lies: a server that looks at itself from outside may
 * live on this machine or in a private network. What is resolved at first is what every call goes to, and no call
 * leaves the origin.
 */
import { lookup } from 'node:dns/promises'
import { connect, type PeerCertificate } from 'node:tls'
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

/** What a TLS handshake showed. */
export interface ShownTls {
  readonly protocol: string
  /** Why the certificate is not believed, as OpenSSL or Node.js names it; undefined where it is. */
  readonly distrust: string | undefined
  /** Epoch seconds. */
  readonly validUntil: number
}

/** Shakes hands with an https origin, whatever its certificate; rejects where there is no handshake. */
export function tlsShownBy(origin: string, timeoutMs: number): Promise<ShownTls> {
  const url = new URL(origin)
  const host = hostOf(url)
  return new Promise((resolve, reject) => {
    // nothing is sent: whom the certificate names is looked at, not spoken to
    const socket = connect({ host, port: Number(url.port || 443), servername: host, rejectUnauthorized: false })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no TLS handshake within its time')))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const certificate: PeerCertificate = socket.getPeerCertificate()
      // the types say Error; what is there is its code
      const distrust = socket.authorized ? undefined : String(socket.authorizationError)
      resolve({
        protocol: socket.getProtocol() ?? 'unknown',
        distrust,
        validUntil: Math.floor(Date.parse(certificate.valid_to) / 1000),
      })
      socket.destroy()
    })
  })
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}
