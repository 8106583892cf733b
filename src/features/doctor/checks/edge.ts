/** Does ISSUER lead here at all, over a certificate that is believed? */
import type { ShownTls } from '#platform/fetch-own.ts'
import type { Answer } from '../ask.ts'
import { ok, problem, unchecked, warning, type Verdict, type Verdicts } from '../finding.ts'
import type { Installation } from '../installation.ts'
import { isGatewayError, type Outside } from '../outside.ts'

const DAY = 86_400
const RENEWAL_DAYS = 14

/** How OpenSSL and Node.js name what is wrong, and what it means. */
const DISTRUST: readonly (readonly [pattern: RegExp, reason: string, hint: string])[] = [
  [/EXPIRED/, 'has expired', 'Renew it, and have whatever serves it read the new one.'],
  [/NOT_YET_VALID/, 'is not valid yet', 'Look at the clocks of this machine and of the one that issued it.'],
  [/ALTNAME/, 'is for another name', 'Serve one that names the host of ISSUER.'],
  [/SELF_SIGNED/, 'is signed by itself', 'Serve one of an authority; for one of your own, set NODE_EXTRA_CA_CERTS.'],
  [
    /UNABLE_TO|LEAF_SIGNATURE/,
    'comes without the certificates between it and an authority that is known here',
    'Serve the whole chain; for an authority of your own, set NODE_EXTRA_CA_CERTS to its certificate.',
  ],
]

export function tlsVerdicts(
  { issuer, clock }: Pick<Installation, 'issuer' | 'clock'>,
  { tls, plain }: Outside,
): Verdicts {
  if (tls === undefined) return ok(`${issuer} is on this machine, without TLS.`)
  if ('failure' in tls) return problem(`There is no TLS at ${issuer}: ${tls.failure}.`, 'See what listens there.')
  return [certificateVerdict(tls, clock.now()), OUTDATED[tls.outdated], ...(plain ? [plainVerdict(plain)] : [])]
}

function certificateVerdict({ protocol, distrust, validUntil }: ShownTls, now: number): Verdict {
  if (distrust !== undefined) {
    const [, reason, hint] = DISTRUST.find(([pattern]) => pattern.test(distrust)) ?? [
      undefined,
      `is not believed (${distrust})`,
      'Serve one that applications and browsers believe.',
    ]
    return problem(`The certificate ${reason}.`, hint)
  }
  const days = Math.floor((validUntil - now) / DAY)
  return days < RENEWAL_DAYS
    ? warning(`The certificate expires in ${days} days.`, 'Renew it, and see why that does not happen by itself.')
    : ok(`${protocol}, with a certificate that is valid for ${days} days.`)
}

const OUTDATED: Readonly<Record<ShownTls['outdated'], Verdict>> = {
  taken: warning(
    'TLS 1.1 or 1.0 is spoken with whoever asks for it, which RFC 8996 forbids.',
    'Allow 1.2 and 1.3 alone (nginx: ssl_protocols TLSv1.2 TLSv1.3; Traefik: tls.options.default.minVersion: VersionTLS12).',
  ),
  refused: ok('TLS 1.0 and 1.1 are refused.'),
  untried: unchecked('whether TLS 1.0 and 1.1 are refused, since they cannot be offered from here'),
}

function plainVerdict({ url, status, headers }: Answer): Verdict {
  return status >= 300 && status < 400 && headers.get('location')?.startsWith('https://') === true
    ? ok(`${url} redirects to https.`)
    : warning(
        `${url} answers ${status} instead of redirecting to https.`,
        'nginx: return 308 https://$host$request_uri; Traefik: entryPoints.web.http.redirections; Caddy does by itself.',
      )
}

export function reachVerdicts({ issuer, listen }: Installation, outside: Outside): Verdicts {
  const { tls, discovery, answersAtHome } = outside
  const why =
    'failure' in discovery
      ? discovery.failure
      : isGatewayError(discovery) && `a proxy answers ${discovery.status}, since it does not reach the server`
  if (why === false) return ok(`${issuer} answers.`)
  if (tls && 'distrust' in tls && tls.distrust !== undefined)
    return problem(`Nobody who looks at its certificate speaks to ${issuer}.`, 'Mend the certificate first.')
  const hint = answersAtHome
    ? `The server itself answers at ${listen.host}, port ${listen.port}: mend what stands between, a proxy or DNS.`
    : 'Start the server, and see that ISSUER leads to it from here.'
  return problem(`${issuer} does not answer, so nothing else was looked at from outside: ${why}.`, hint)
}
