/** Does ISSUER lead here at all, over a certificate that is believed? */
import { ok, problem, warning, type Verdict } from '../finding.ts'
import type { Installation } from '../installation.ts'
import type { Outside } from '../outside.ts'

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

export function tlsVerdicts({ issuer, clock }: Installation, { tls }: Outside): Verdict[] {
  if (tls === undefined) return [ok(`${issuer} is on this machine, without TLS.`)]
  if ('failure' in tls) return [problem(`There is no TLS at ${issuer}: ${tls.failure}.`, 'See what listens there.')]
  if (tls.distrust !== undefined) {
    const [, reason, hint] = DISTRUST.find(([pattern]) => pattern.test(tls.distrust ?? '')) ?? [
      undefined,
      `is not believed (${tls.distrust})`,
      'Serve one that applications and browsers believe.',
    ]
    return [problem(`The certificate ${reason}.`, hint)]
  }
  const days = Math.floor((tls.validUntil - clock.now()) / DAY)
  return days < RENEWAL_DAYS
    ? [warning(`The certificate expires in ${days} days.`, 'Renew it, and see why that does not happen by itself.')]
    : [ok(`${tls.protocol}, with a certificate that is valid for ${days} days.`)]
}

export function reachVerdicts({ issuer, listen }: Installation, { tls, discovery, answersAtHome }: Outside): Verdict[] {
  if (!('failure' in discovery)) return [ok(`${issuer} answers.`)]
  if (tls && 'distrust' in tls && tls.distrust !== undefined)
    return [problem(`Nobody who looks at its certificate speaks to ${issuer}.`, 'Mend the certificate first.')]
  const hint = answersAtHome
    ? `The server itself answers at ${listen.host}, port ${listen.port}: mend what stands between, a proxy or DNS.`
    : 'Start the server, and see that ISSUER leads to it from here.'
  return [problem(`${issuer} does not answer, so nothing else was looked at from outside: ${discovery.failure}.`, hint)]
}
