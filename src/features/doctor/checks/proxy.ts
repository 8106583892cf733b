/** Does the proxy, where there is one, tell who calls, let requests through whole, and keep to itself what is its own? */
import type { Answer } from '../ask.ts'
import { ok, problem, quoted, unchecked, warning, type Verdict, type Verdicts } from '../finding.ts'
import type { Installation } from '../installation.ts'
import {
  BODY_BYTES,
  COOKIE_CHARACTERS,
  FORGED,
  FORGED_CERTIFICATE,
  FORGED_FOR,
  STATE_CHARACTERS,
  type Answers,
} from '../questions.ts'
import type { Testimony } from '../witness.ts'

const SHARED =
  'so everybody behind the proxy counts as one address, and the wrong passwords of one close the sign-in to all'

/** By what the server itself saw of a request that lied about where it came from. */
export function forwardingVerdicts(installation: Installation, { testimony, witness }: Answers): Verdicts {
  const { issuer, secrets } = installation
  if (!secrets) return unchecked('the server tells what it sees of callers to the holder of the master key')
  if (!testimony) {
    return problem(
      `The server at ISSUER does not know this installation's master key (it answered ${witness?.status ?? 'nothing'}), so what it sees of callers is not known.`,
      'See that ISSUER leads to this server, in this release, with the same KEYS_DIR or MASTER_KEY; and look at the clocks.',
    )
  }
  const { clientAddress, peerIsTrusted, host, certificate } = testimony
  const address = addressVerdict(testimony, isBehindProxy(installation))
  return [
    address,
    ...(address.level === 'ok' && clientAddress === FORGED.near
      ? [unchecked('what callers elsewhere can forge, since this machine is itself among TRUSTED_PROXIES')]
      : []),
    ...(host === new URL(issuer).host
      ? []
      : [
          warning(
            `The proxy hands on the Host ${quoted(host)} instead of ${new URL(issuer).host}; the server does not go by it.`,
            'Have it hand on Host as it came, with the port, for logs and programs that do go by it.',
          ),
        ]),
    ...(certificate.includes(FORGED_CERTIFICATE) && peerIsTrusted
      ? [
          problem(
            'What callers write into the header of CLIENT_CERT_HEADER reaches the server: they could show any certificate.',
            'Have the proxy set that header itself in every request, empty where there is no certificate.',
          ),
        ]
      : []),
  ]
}

const APPEND =
  'Have the proxy append the address of its caller to X-Forwarded-For (nginx: $proxy_add_x_forwarded_for; Caddy and Traefik do by themselves).'

function addressVerdict(testimony: Testimony, isBehind: boolean): Verdict {
  const { peerIsTrusted, forwardedFor, clientAddress } = testimony
  const peer = testimony.peerAddress.replace(/^::ffff:/, '')
  const claimed = forwardedFor.split(/\s*,\s*/)
  const [caller, ...furtherProxies] = claimed.filter((hop) => !['', FORGED.far, FORGED.near].includes(hop))
  if (clientAddress === FORGED.far && claimed.includes(FORGED.near)) {
    return problem(
      'TRUSTED_PROXIES holds addresses of strangers, so anybody can choose which address counts.',
      'Name the proxies alone.',
    )
  }
  if (forwardedFor === FORGED_FOR && !isBehind)
    return ok('No proxy is in front; callers are counted by their own addresses.')
  if (!peerIsTrusted) {
    const [more, hint] = caller === undefined ? [' and appends nothing to X-Forwarded-For', ` ${APPEND}`] : ['', '']
    return problem(
      `The proxy calls from ${peer}, which is not in TRUSTED_PROXIES${more}, ${SHARED}.`,
      `Set TRUSTED_PROXIES=${peer} (beside those that are there).${hint}`,
    )
  }
  if (forwardedFor === '') return problem(`The proxy sends no X-Forwarded-For, ${SHARED}.`, APPEND)
  if (caller === undefined) {
    return problem(
      'The proxy hands on the X-Forwarded-For of its callers without their address, so anybody can choose which address counts.',
      APPEND,
    )
  }
  if (furtherProxies.includes(clientAddress)) {
    return problem(
      `Another proxy calls from ${clientAddress}, which is not in TRUSTED_PROXIES, ${SHARED}.`,
      `Set TRUSTED_PROXIES=${peer},${clientAddress} (beside those that are there).`,
    )
  }
  return ok(`The proxy at ${peer} is trusted, and tells which address calls.`)
}

/** Whoever speaks https to us, or at another port, speaks to somebody in front. */
function isBehindProxy({ issuer, listen }: Pick<Installation, 'issuer' | 'listen'>): boolean {
  const { protocol, port } = new URL(issuer)
  return protocol === 'https:' ? listen.tls === undefined : Number(port || 80) !== listen.port
}

/** What applications send may be long; a proxy that refuses it does so where nobody sees it in the server's log. */
export function sizeVerdicts(_: Installation, answers: Answers): Verdicts {
  const cut = (what: string, answer: Answer | undefined, isThrough: (answer: Answer) => boolean, hint: string) =>
    answer && isThrough(answer) ? [] : [warning(`${what} does not get through: ${answer?.status ?? 'cut off'}.`, hint)]
  const verdicts = [
    ...cut(
      `An authorization request with a state of ${STATE_CHARACTERS} characters`,
      answers.longState,
      ({ status, headers }) => status === 303 && (headers.get('location') ?? '').length > STATE_CHARACTERS,
      'Let request lines and headers of 16 kB through (nginx: large_client_header_buffers, proxy_buffer_size).',
    ),
    ...cut(
      `A request with ${COOKIE_CHARACTERS} characters of cookies`,
      answers.longCookie,
      ({ status }) => status === 200,
      'Let headers of 16 kB through (nginx: large_client_header_buffers).',
    ),
    ...cut(
      `A body of ${BODY_BYTES} bytes`,
      answers.longBody,
      ({ json }) => json?.['error'] !== undefined,
      'Let bodies of 64 kB through (nginx: client_max_body_size).',
    ),
  ]
  return verdicts.length > 0 ? verdicts : ok('Long addresses, cookies and bodies get through.')
}

export function healthVerdicts({ metricsToken }: Installation, { readiness, metrics }: Answers): Verdicts {
  const hide = 'Have the proxy answer /metrics with 404: numbers are for the monitoring, which asks the server itself.'
  if (metrics?.status === 200 && /^# (HELP|TYPE) /m.test(metrics.text))
    return problem('/metrics answers without its token.', hide)
  return [
    readinessVerdict(readiness),
    metricsToken && metrics?.status === 401
      ? warning('/metrics can be reached from outside, with its token.', hide)
      : metrics
        ? ok('/metrics cannot be read from outside.')
        : unchecked('/metrics, which does not answer in time'),
  ]
}

/** A proxy may keep it to itself. */
function readinessVerdict(readiness: Answer | undefined): Verdict {
  const hint = 'See the log of the server.'
  if (readiness?.status === 200) return ok('The server is ready.')
  if (readiness?.status === 404) return ok('/readyz is not handed on.')
  return readiness
    ? problem(`The server is not ready (${readiness.status}): ${quoted(readiness.text)}`, hint)
    : problem('/readyz does not answer in time.', hint)
}
