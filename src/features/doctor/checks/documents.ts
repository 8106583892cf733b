/** Do the documents that applications read say what ISSUER says, and hold the keys that this server signs with? */
import type { Answer } from '../ask.ts'
import { judged, ok, problem, quoted, warning, type Verdict, type Verdicts } from '../finding.ts'
import type { Installation } from '../installation.ts'
import type { Outside } from '../outside.ts'
import type { Answers } from '../questions.ts'

export function discoveryVerdicts({ issuer }: Installation, { discovery, answers }: Outside): Verdicts {
  if ('failure' in discovery || !answers) return []
  const found = documentProblem(discovery)
  if (found) return [found]
  const said = discovery.json?.['issuer']
  if (said === issuer) return ok('The issuer of discovery is ISSUER, character by character.')
  return problem(
    `Discovery says that the issuer is ${quoted(JSON.stringify(said) ?? 'nobody')}, and ISSUER is "${issuer}": ${difference(issuer, said)}.`,
    'Give the server the ISSUER that this command has, restart it, and see that the proxy leads to this server.',
  )
}

/** Whatever an application is sent to has to stand under the issuer, where the proxy leads. */
export function endpointVerdicts({ issuer }: Installation, { discovery }: Outside): Verdicts {
  if ('failure' in discovery || discovery.json === undefined) return []
  const addresses = Object.entries(discovery.json).filter(
    ([name, value]) => /(_endpoint|^jwks_uri|_iframe)$/.test(name) && typeof value === 'string',
  )
  const strays = addresses.filter(([, address]) => !String(address).startsWith(`${issuer}/`))
  const [first] = strays
  if (!first) return addresses.length === 0 ? [] : ok(`${addresses.length} endpoints stand under ISSUER.`)
  const [name, address] = first
  return problem(
    `${strays.length} endpoints of discovery do not stand under ISSUER: ${quoted(name)} is ${quoted(String(address))}, ${difference(issuer, address)}.`,
    'Have the proxy hand on answers as they are: it may not rewrite addresses in them.',
  )
}

/** RFC 8414 §3.1 puts the document elsewhere than OpenID Connect does where the issuer has a path. */
export function metadataVerdicts({ issuer }: Installation, { metadata }: Answers): Verdicts {
  const found = metadata ? documentProblem(metadata) : warning('The metadata of RFC 8414 does not answer.', ROOT_HINT)
  if (found) return [{ ...found, level: 'warning', hint: ROOT_HINT }]
  if (metadata?.json?.['issuer'] === issuer) return ok('The metadata of RFC 8414 names the same issuer.')
  return problem(
    `${metadata?.url} names another issuer: ${quoted(JSON.stringify(metadata?.json?.['issuer']) ?? 'none')}.`,
    ROOT_HINT,
  )
}

const ROOT_HINT =
  'Have the proxy hand on /.well-known/oauth-authorization-server too, with what follows it: some applications look there.'

/** The keys that sign now or next have to be those that everybody sees. */
export function jwksVerdicts({ stored }: Installation, { jwks }: Answers): Verdicts {
  if (!jwks) return problem('The key set does not answer.', 'Have the proxy hand on /.well-known/jwks.json.')
  const found = documentProblem(jwks)
  if (found) return [found]
  const published = JSON.stringify(jwks.json)
  return judged(stored.keys, (keys) => {
    const signing = keys.filter(({ state }) => state === 'current' || state === 'next')
    const missing = signing.filter(({ kid }) => !published.includes(JSON.stringify(kid)))
    if (missing.length === 0) return ok('The key set that applications see holds the keys that sign now and next.')
    return problem(
      `The key set that applications see lacks ${missing.length} of the ${signing.length} keys of this database.`,
      'Another server or a cache answers at ISSUER: see where the proxy leads, and that DATABASE_URL is the one the server has.',
    )
  })
}

/** The beginning of what came instead of a JSON document, in one sentence. */
function documentProblem({ url, status, headers, json, text }: Answer): Verdict | undefined {
  const { pathname } = new URL(url)
  if (status >= 300 && status < 400) {
    const target = headers.get('location') ?? 'nowhere'
    return problem(
      `${pathname} redirects to ${quoted(target)}, which applications do not follow.`,
      'Set ISSUER to where the server is, or have the proxy serve it here.',
    )
  }
  if (status !== 200)
    return problem(`${pathname} is answered ${status}.`, 'See that the proxy hands on the path as it is.')
  if (json !== undefined) return undefined
  const what = /<html|<!doctype/i.test(text) ? 'a page (HTML)' : 'no JSON'
  return problem(`${pathname} is ${what}, not the document.`, 'Another program answers at ISSUER: mend the proxy.')
}

/** In what two addresses differ, in words. */
function difference(issuer: string, other: unknown): string {
  const [own, its] = [new URL(issuer), URL.parse(String(other))]
  if (!its) return 'that is no address'
  if (own.hostname !== its.hostname) return 'the host is another'
  if (own.protocol !== its.protocol) return `it is ${its.protocol.slice(0, -1)}, not ${own.protocol.slice(0, -1)}`
  if (own.port !== its.port) return its.port === '' ? 'the port is lost' : 'the port is another'
  return its.pathname.startsWith(own.pathname) ? 'it is written differently' : 'the path is lost or another'
}
