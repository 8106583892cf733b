/** The settings of mutual TLS (RFC 8705), and what the groups of config.ts are made of them. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Settings } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import type { Problem } from '#platform/settings.ts'
import { setting } from './setting-rules.ts'

export const CERTIFICATE_SETTINGS = {
  clientCertHeader: setting({
    name: 'CLIENT_CERT_HEADER',
    schema: z.optional(z.string().regex(/^[\w-]{1,64}$/, 'must be the name of a header')),
    default: undefined,
    sentence:
      "The header in which the proxies of TRUSTED_PROXIES hand on the client's certificate, as percent-encoded PEM or as RFC 9440 has it; from others it is not read.",
    example: 'X-Client-Cert',
  }),
  tlsClientCa: setting({
    name: 'TLS_CLIENT_CA',
    schema: z.optional(z.string()),
    default: undefined,
    sentence:
      'A PEM file with the authorities that sign the certificates of clients (tls_client_auth); with TLS_CERT it also makes the server ask for certificates.',
    example: '/etc/latchkey/client-ca.pem',
  }),
}

interface Values {
  readonly clientCertHeader: string | undefined
  readonly tlsClientCa: string | undefined
  readonly tlsCert: string | undefined
  readonly trustedProxies: readonly string[]
}

/** Settings that would do nothing without another. */
export function certificateProblems(values: Values): Problem[] {
  const { clientCertHeader: header, tlsClientCa: authorities, tlsCert, trustedProxies } = values
  const needsProxies = header !== undefined && trustedProxies.length === 0
  const needsConnection = authorities !== undefined && header === undefined && tlsCert === undefined
  return [
    ...(needsProxies
      ? [{ setting: 'CLIENT_CERT_HEADER', message: 'needs TRUSTED_PROXIES: nobody else may send it' }]
      : []),
    ...(needsConnection
      ? [
          {
            setting: 'TLS_CLIENT_CA',
            message: 'needs TLS_CERT or CLIENT_CERT_HEADER: no certificate reaches the server',
          },
        ]
      : []),
  ]
}

/** @throws AppError(configuration) where the file of authorities cannot be used */
export function certificateRules(values: Values, absolute: (path: string) => string): Settings['clientCertificates'] {
  const { clientCertHeader: header, tlsClientCa, tlsCert, trustedProxies } = values
  const authorities = tlsClientCa === undefined ? [] : authoritiesIn(absolute(tlsClientCa))
  const isAskedFor = tlsCert !== undefined && authorities.length > 0
  return { offered: header !== undefined || isAskedFor, header, trustedProxies, authorities }
}

function authoritiesIn(path: string): string[] {
  const hint = 'Name a PEM file with the certificates of the authorities.'
  try {
    const certificates =
      readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    if (certificates.length > 0 && certificates.every((pem) => new X509Certificate(pem).ca)) return certificates
  } catch (cause) {
    throw new AppError('configuration', `TLS_CLIENT_CA names ${path}, which cannot be read.`, { hint, cause })
  }
  throw new AppError('configuration', `TLS_CLIENT_CA names ${path}, which holds no certificate of an authority.`, {
    hint,
  })
}
