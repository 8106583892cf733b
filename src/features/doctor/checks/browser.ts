/** Does a browser get the answers, cookies and headers that the server sent? */
import { ownPage } from '#core/clients/own-client.ts'
import { basePath } from '#core/issuer-paths.ts'
import { REQUEST_ID } from '#platform/http/request-facts.ts'
import { ok, problem, quoted, type Verdict, type Verdicts } from '../finding.ts'
import type { Installation } from '../installation.ts'
import type { Answers } from '../questions.ts'

const AS_IT_IS = 'Have the proxy hand on answers as they are.'

/** RFC 9207: an application knows by `iss` who answers it. */
export function answerVerdicts({ issuer }: Installation, { refusal }: Answers): Verdicts {
  const location = refusal?.headers.get('location') ?? ''
  const answer = URL.parse(location)
  if (!refusal || refusal.status !== 303 || !location.startsWith(`${ownPage(issuer)}?`)) {
    const arrived = refusal
      ? `${refusal.status}${location === '' ? '' : ` to ${quoted(location.split('?')[0] ?? '')}`}`
      : 'nothing'
    return problem(`An authorization request is not answered as the server answers it: ${arrived}.`, AS_IT_IS)
  }
  const iss = answer?.searchParams.get('iss')
  return iss === issuer
    ? ok('An authorization response comes back, and its iss is ISSUER.')
    : problem(`The iss of an authorization response is ${quoted(String(iss))}, not ISSUER.`, 'Restart the server.')
}

export function cookieVerdicts({ issuer }: Installation, { beginning }: Answers): Verdicts {
  const location = URL.parse(beginning?.headers.get('location') ?? '', issuer)?.href
  if (!location?.startsWith(`${issuer}/interaction/`))
    return problem(
      `A sign-in leads to ${quoted(location ?? 'nowhere')}, which is not under ISSUER.`,
      `${AS_IT_IS} ${NO_REWRITE}`,
    )
  const cookies = beginning?.headers.getSetCookie() ?? []
  if (cookies.length === 0)
    return problem('The cookies of a sign-in are lost on the way, so nobody can sign in.', AS_IT_IS)
  const faults = [...new Set(cookies.flatMap((cookie) => cookieFaults(cookie, issuer)))]
  return faults.length === 0
    ? ok('Cookies arrive with the name, path and flags that the server gave them.')
    : problem(`Cookies arrive changed: ${faults.join('; ')}.`, `${AS_IT_IS} ${NO_REWRITE}`)
}

const NO_REWRITE = 'In nginx, proxy_redirect, proxy_cookie_path and proxy_cookie_flags; in Apache, ProxyPassReverse.'

function cookieFaults(cookie: string, issuer: string): string[] {
  const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim())
  const given = new Map(
    attributes.map((attribute) => {
      const [key = '', value = ''] = attribute.split('=')
      return [key.toLowerCase(), value] as const
    }),
  )
  const isHttps = issuer.startsWith('https:')
  const path = given.get('path') ?? ''
  return [
    ...(given.has('httponly') ? [] : ['HttpOnly is lost']),
    ...(/^(lax|strict)$/i.test(given.get('samesite') ?? '') ? [] : ['SameSite=Lax is lost']),
    ...(isHttps && !given.has('secure') ? ['Secure is lost'] : []),
    ...(isHttps && !/^__(Host|Secure)-/.test(pair) ? ['__Host- or __Secure- is lost'] : []),
    ...(given.has('domain') ? ['there is a Domain'] : []),
    ...(path === '/' || path.startsWith(`${basePath(issuer)}/`) ? [] : [`a Path is ${quoted(path || 'lost')}`]),
  ]
}

/** What has to arrive with a page, once; `https` where it goes with an https issuer only. */
const HEADERS: readonly { name: string; value: RegExp; loss: 'problem' | 'warning'; https?: true }[] = [
  { name: 'content-security-policy', value: /^default-src 'none';[^,]*$/, loss: 'problem' },
  { name: 'strict-transport-security', value: /^max-age=\d+[^,]*$/, loss: 'warning', https: true },
  { name: 'cache-control', value: /^no-store$/, loss: 'problem' },
  { name: 'x-frame-options', value: /^DENY$/i, loss: 'warning' },
  { name: 'x-content-type-options', value: /^nosniff$/, loss: 'warning' },
  { name: 'referrer-policy', value: /^no-referrer$/, loss: 'warning' },
  { name: 'cross-origin-opener-policy', value: /^same-origin$/, loss: 'warning' },
]

export function headerVerdicts({ issuer }: Installation, { page, pageAgain }: Answers): Verdicts {
  if (page?.status !== 200) {
    return problem(
      `The sign-in page does not arrive (${page?.status ?? 'no answer'}).`,
      'See the log of proxy and server.',
    )
  }
  const wanted = HEADERS.filter(({ https }) => !https || issuer.startsWith('https:'))
  const faults = wanted.flatMap(({ name, value, loss }): Verdict[] => {
    const arrived = page.headers.get(name)
    if (arrived === null) return [{ level: loss, message: `${name} is lost on the way.`, hint: AS_IT_IS }]
    if (value.test(arrived)) return []
    const message = `${name} arrives changed, or more than once: ${quoted(arrived)}`
    return [{ level: loss, message, hint: 'Leave the headers of pages to the server: the proxy need not set any.' }]
  })
  // the server gives each of its answers an id of its own
  const [id, idAgain] = [page, pageAgain].map((answer) => answer?.headers.get(REQUEST_ID))
  if (id && id === idAgain)
    faults.push(problem('Pages come out of a cache, and with them what is meant for one person.', NO_CACHE))
  return faults.length > 0 ? faults : ok('Pages arrive with the security headers of the server, each once.')
}

const NO_CACHE = 'Have the proxy keep nothing that says no-store (nginx: no proxy_ignore_headers, proxy_cache off).'
