/**
 * The certificate that a client showed: on our own TLS connection, or, where a proxy ended it, in a header of that
 * proxy. What anybody else writes into the header is not read.
 */
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { addressList } from '#platform/address-list.ts'
import { attached } from '#platform/attached.ts'
import { isFromTrustedProxy } from './request-facts.ts'

export interface ClientCertificateRules {
  readonly trustedProxies: readonly string[]
  /** The header of the proxies, or undefined where none is read. */
  readonly header: string | undefined
  /** PEM of the authorities whose certificates are accepted, each signing clients' certificates directly; or none. */
  readonly authorities: readonly string[]
}

export interface ClientCertificate {
  readonly certificate: X509Certificate
  /** It was issued by one of the authorities, and both are valid now. */
  readonly isVerified: boolean
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2'

/** Makes a function that finds the certificate of a request, and reads each request's once. */
export function clientCertificates({ trustedProxies, header, authorities }: ClientCertificateRules) {
  const trusted = addressList(trustedProxies)
  const issuers = authorities.map((pem) => new X509Certificate(pem))
  const found = attached<{ readonly certificate: ClientCertificate | undefined }>()

  const read = (req: IncomingMessage): ClientCertificate | undefined => {
    // a connection of a proxy shows the proxy's certificate, never the client's
    const certificate =
      header !== undefined && isFromTrustedProxy(req, trusted)
        ? certificateIn(req.headers[header.toLowerCase()])
        : certificateOn(req)
    return certificate && { certificate, isVerified: issuers.some((issuer) => isIssuedBy(certificate, issuer)) }
  }

  return (req: IncomingMessage): ClientCertificate | undefined => {
    const known = found.of(req) ?? { certificate: read(req) }
    found.to(req, known)
    return known.certificate
  }
}

function certificateOn({ socket }: IncomingMessage): X509Certificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
}

/** Percent-encoded PEM, as nginx has it in $ssl_client_escaped_cert, or a byte sequence (RFC 9440 §2.2). */
function certificateIn(value: string | readonly string[] | undefined): X509Certificate | undefined {
  if (typeof value !== 'string') return undefined
  const bytes = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value)?.[1]
  try {
    if (bytes !== undefined) return new X509Certificate(Buffer.from(bytes, 'base64'))
    const pem = decodeURIComponent(value).trim()
    const isOne = /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----$/.test(pem)
    return isOne ? new X509Certificate(pem) : undefined
  } catch {
    return undefined
  }
}

/** RFC 5280 §6.1 for a path of one step, which is all that we accept. */
function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  const uses = certificate.keyUsage as readonly string[] | undefined
  return (
    issuer.ca &&
    isValidNow(issuer) &&
    isValidNow(certificate) &&
    (uses === undefined || uses.includes(CLIENT_AUTHENTICATION)) &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey)
  )
}

function isValidNow({ validFrom, validTo }: X509Certificate): boolean {
  const now = Date.now()
  return Date.parse(validFrom) <= now && now < Date.parse(validTo)
}
