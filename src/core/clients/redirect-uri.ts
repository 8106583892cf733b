/**
 * Which redirect URIs a client may register. A request's redirect URI is later compared with the registered ones
 * character by character (RFC 9700 §4.1.3), so a registered one has to have one spelling only: what a browser would
 * make of it must be what is written. Native clients on a loopback address may use another port in each request
 * (RFC 8252 §7.3); nothing else varies.
 */
import type { ClientType } from './client.ts'
import { LOOPBACK_HOSTS, MAX_URI_LENGTH, shownUri } from './web-address.ts'

/** After signing in, or after signing out: named as the metadata member is. */
export type RedirectPurpose = 'redirect_uris' | 'post_logout_redirect_uris'

const MAX_REDIRECT_URIS = 50

const UNSAFE_SCHEMES = new Set(['javascript', 'data', 'vbscript', 'file', 'blob', 'about'])
/** `com.example.app`: a domain backwards, so that no two makers choose the same (RFC 8252 §7.1). */
const REVERSE_DOMAIN = /^[a-z][a-z0-9+-]*(\.[a-z0-9][a-z0-9+-]*)+$/
/** The characters of RFC 3986 §2 but `#` and `*`, which have messages of their own. */
const URI_CHARACTERS = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/
/** What we add to a redirect URI ourselves: of two values one would win, and not the same one everywhere. */
const ANSWER_PARAMETERS: Readonly<Record<RedirectPurpose, readonly string[]>> = {
  redirect_uris: ['code', 'state', 'iss', 'error', 'error_description', 'id_token', 'access_token', 'response'],
  post_logout_redirect_uris: ['state'],
}

/** Says in one sentence why a client of the type may not register the URIs; undefined when it may. */
export function redirectUrisProblem(
  uris: readonly string[],
  type: ClientType,
  purpose: RedirectPurpose,
): string | undefined {
  if (uris.length > MAX_REDIRECT_URIS)
    return `${uris.length} URIs were given; at most ${MAX_REDIRECT_URIS} are allowed.`
  for (const uri of uris) {
    const problem = redirectUriProblem(uri, type, purpose)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Says in one sentence why a client of the type may not register the URI; undefined when it may. */
export function redirectUriProblem(uri: string, type: ClientType, purpose: RedirectPurpose): string | undefined {
  if (type === 'service') return 'A service client signs nobody in, so it has no redirect URIs.'
  const problem = spellingProblem(uri) ?? targetProblem(new URL(uri), uri, type) ?? answerProblem(new URL(uri), purpose)
  return problem === undefined ? undefined : `${shownUri(uri)} ${problem}.`
}

/** What is wrong with the text, whoever registers it. Undefined promises that it parses. */
function spellingProblem(uri: string): string | undefined {
  if (uri === '') return 'is empty'
  if (uri.length > MAX_URI_LENGTH) return `is longer than ${MAX_URI_LENGTH} characters`
  const scheme = /^\s*([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]
  if (scheme === undefined) return 'has no scheme; write the whole URI, such as https://app.example/callback'
  if (UNSAFE_SCHEMES.has(scheme.toLowerCase()))
    return `uses ${scheme.toLowerCase()}:, which would run or open something in the browser`
  if (/[\s\\]|[^\x21-\x7e]/u.test(uri)) {
    return 'contains a space, a backslash, a control character or a letter outside ASCII; percent-encode it, or write the host in punycode'
  }
  if (uri.includes('#')) return 'contains a fragment (#), which RFC 6749 §3.1.2 forbids'
  if (uri.includes('*'))
    return 'contains a wildcard; redirect URIs are compared character by character, so register each one'
  if (!URI_CHARACTERS.test(uri)) return 'contains a character that has to be percent-encoded in a URI (RFC 3986 §2)'
  if (/%(?![0-9A-Fa-f]{2})/.test(uri)) return 'contains a % that is not followed by two hexadecimal digits'
  if (/%(?:[01][0-9a-f]|7f|5c)/i.test(uri)) return 'contains a percent-encoded control character or backslash'
  if (/%25(?:2e|2f|5c)/i.test(uri)) return 'contains a dot or slash that is percent-encoded twice'
  const parsed = URL.parse(uri)
  if (!parsed) return 'is not a URI that a browser can read'
  if (parsed.username !== '' || parsed.password !== '' || /^[^/]*\/\/[^/?]*@/.test(uri))
    return 'contains a user name or password'
  if (parsed.hostname.endsWith('.')) return 'has a host that ends with a dot; leave the dot out'
  // an origin alone is written without its slash everywhere, and only one way to read it is left
  if (parsed.href !== uri && parsed.href !== `${uri}/`)
    return `is read by browsers as ${parsed.href}; register it in that spelling`
  return undefined
}

function targetProblem({ protocol, hostname }: URL, uri: string, type: ClientType): string | undefined {
  const isLoopback = LOOPBACK_HOSTS.has(hostname)
  if (protocol === 'http:')
    return isLoopback ? undefined : 'uses http, which is for localhost, 127.0.0.1 and [::1] only; use https'
  if (protocol === 'https:') {
    return type === 'native' && isLoopback
      ? 'uses https on a loopback address; a native app listens there with http (RFC 8252 §7.3)'
      : undefined
  }
  const scheme = protocol.slice(0, -1)
  if (type !== 'native') return `uses ${scheme}:, which is for native apps only (type native); use https`
  if (!REVERSE_DOMAIN.test(scheme)) {
    return `uses ${scheme}:, which another app may claim; use a domain of yours backwards, such as com.example.app: (RFC 8252 §7.1)`
  }
  return uri.length === protocol.length
    ? 'ends after its scheme; add a path, such as com.example.app:/callback'
    : undefined
}

function answerProblem({ searchParams }: URL, purpose: RedirectPurpose): string | undefined {
  const taken = ANSWER_PARAMETERS[purpose].find((name) => searchParams.has(name))
  return taken === undefined ? undefined : `has the query parameter ${taken}, which the answer itself carries`
}
