/**
 * Mutual TLS (RFC 8705): clients that authenticate with a certificate, and access tokens that are worth something only
 * together with it. It is offered where a certificate can reach us at all, and certificates by name only where an
 * operator has said whose names count.
 */
import type { X509Certificate } from 'node:crypto'
import { errors, type Configuration } from 'oidc-provider'
import type { Settings } from '#core/services.ts'
import { sameDistinguishedName } from '#core/clients/distinguished-name.ts'
import { clientCertificates } from '#platform/http/client-certificate.ts'

type Mtls = NonNullable<NonNullable<Configuration['features']>['mTLS']>

/** The library's feature under these settings, or nothing where certificates do not reach us. */
export function mutualTls({ clientCertificates: rules }: Settings): { readonly mTLS?: Mtls } {
  if (!rules.offered) return {}
  const find = clientCertificates(rules)
  const mTLS: Mtls = {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: rules.authorities.length > 0,
    getCertificate: (ctx) => find(ctx.req)?.certificate,
    certificateAuthorized: (ctx) => find(ctx.req)?.isVerified === true,
    certificateSubjectMatches(ctx, property, expected) {
      const certificate = find(ctx.req)?.certificate
      return certificate !== undefined && matches(certificate, property, expected)
    },
  }
  return { mTLS }
}

const BOUND_TOKENS = 'tls_client_certificate_bound_access_tokens'

/**
 * Where certificates do not reach us the library would drop a wish for bound tokens in silence, and give bearer tokens
 * instead: as a member of our own it is judged, when the client is registered and whenever it is loaded.
 */
export function boundTokensWhereOffered({ clientCertificates: { offered } }: Settings) {
  return {
    properties: offered ? [] : [BOUND_TOKENS],
    validator(_ctx: unknown, property: string, value: unknown) {
      if (property === BOUND_TOKENS && value === true)
        throw new errors.InvalidClientMetadata(
          `${BOUND_TOKENS} needs CLIENT_CERT_HEADER or TLS_CLIENT_CA on the server`,
        )
    },
  }
}

/** The methods of authentication that are offered besides those that need no certificate. */
export function certificateMethods({ clientCertificates: { offered, authorities } }: Settings) {
  if (!offered) return []
  return authorities.length > 0
    ? (['self_signed_tls_client_auth', 'tls_client_auth'] as const)
    : (['self_signed_tls_client_auth'] as const)
}

function matches(certificate: X509Certificate, property: string, expected: string): boolean {
  if (property === 'tls_client_auth_subject_dn') return sameDistinguishedName(expected, certificate.subject)
  if (property === 'tls_client_auth_san_dns')
    return certificate.checkHost(expected, { subject: 'never', wildcards: false }) !== undefined
  if (property === 'tls_client_auth_san_email')
    return certificate.checkEmail(expected, { subject: 'never' }) !== undefined
  if (property === 'tls_client_auth_san_ip') return certificate.checkIP(expected) !== undefined
  return property === 'tls_client_auth_san_uri' && hasUri(certificate.subjectAltName ?? '', expected)
}

/** Node quotes a name that could be taken for several (CVE-2021-44532); nobody honest has one. */
function hasUri(names: string, expected: string): boolean {
  return !names.includes('"') && names.split(', ').includes(`URI:${expected}`)
}
