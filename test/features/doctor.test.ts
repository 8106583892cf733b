// What `latchkey doctor` finds: a proxy with every fault that it is there to find, one at a time.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSecrets } from '#core/secrets.ts'
import { tlsVerdicts } from '#features/doctor/checks/edge.ts'
import { ok, unchecked, warning } from '#features/doctor/finding.ts'
import { reportText } from '#features/doctor/report.ts'
import { proofAt, testimonyIn } from '#features/doctor/witness.ts'
import type { Fault, Forwarded, Returned } from '../support/broken-proxy.ts'
import { patient, withoutCertificate, type Patient } from '../support/doctor.ts'
import { createSqlite } from '../support/fresh-databases.ts'
import { send } from '../support/protocol.ts'

let at: Patient

beforeAll(async () => {
  at = await patient({ name: 'sqlite', create: createSqlite })
})
afterAll(() => at.close())

const faults: readonly (readonly [what: string, check: string, said: RegExp, fault: Fault])[] = [
  [
    'a port that is lost',
    'discovery',
    /the port is lost/,
    rewriting(/"issuer":"https:\/\/localhost:\d+/, '"issuer":"https://localhost'),
  ],
  ['http in the place of https', 'discovery', /it is http, not https/, rewriting(/"issuer":"https/, '"issuer":"http')],
  [
    'a path that is lost',
    'endpoints',
    /authorization_endpoint .*the path is lost/,
    rewriting(/\/id\/authorize/, '/authorize'),
  ],
  ['a page in the place of discovery', 'discovery', /is a page \(HTML\)/, rewriting(/^[^]*$/, '<!doctype html>')],
  [
    'a redirect of discovery',
    'discovery',
    /redirects to https:\/\/elsewhere/,
    {
      onTheWayOut(answer, { path }) {
        if (path.endsWith('openid-configuration'))
          Object.assign(answer, { status: 301, headers: { location: 'https://elsewhere.example/' } })
      },
    },
  ],
  [
    'a path that is not handed on',
    'discovery',
    /is answered 404/,
    { onTheWayIn: (request) => (request.path = request.path.replace('/id/', '/')) },
  ],
  ['a proxy that finds no server', 'reachable', /a proxy answers 502/, refusing(502, () => true)],
  [
    'an RFC 8414 document that is not handed on',
    'metadata',
    /is answered 404/,
    { onTheWayIn: (request) => (request.path = request.path.replace(/^\/\.well-known.*/, '/nowhere')) },
  ],
  ['keys of another server', 'jwks', /lacks 3 of the 3 keys/, rewriting(/"kid":"[^"]+"/g, '"kid":"another"')],
  [
    'another iss',
    'authorization_response',
    /iss .* is https:\/\/other\.example/,
    {
      onTheWayOut: ({ headers }) =>
        (headers.location = headers.location?.replace(/iss=[^&]+/, 'iss=https://other.example')),
    },
  ],
  [
    'a sign-in that is led away',
    'cookies',
    /leads to http:\/\/localhost:3000/,
    {
      onTheWayOut: ({ headers }) => (headers.location = headers.location?.replace(/^\/id/, 'http://localhost:3000')),
    },
  ],
  [
    'flags that cookies lost',
    'cookies',
    /HttpOnly is lost; SameSite=Lax is lost; Secure is lost/,
    cookies(/; (httponly|samesite=lax|secure)/gi, ''),
  ],
  ['a path that cookies lost', 'cookies', /a Path is \/interaction/, cookies(/path=\/id/gi, 'path=')],
  ['cookies that are lost', 'cookies', /are lost/, { onTheWayOut: ({ headers }) => delete headers['set-cookie'] }],
  [
    'a policy that pages lost',
    'headers',
    /content-security-policy is lost/,
    { onTheWayOut: ({ headers }) => delete headers['content-security-policy'] },
  ],
  [
    'HSTS that is said twice',
    'headers',
    /strict-transport-security arrives .*more than once/,
    {
      onTheWayOut: ({ headers }) => (headers['strict-transport-security'] += ', max-age=1'),
    },
  ],
  [
    'pages that a cache may keep',
    'headers',
    /cache-control arrives changed, .*: public/,
    { onTheWayOut: ({ headers }) => (headers['cache-control'] = 'public, max-age=60') },
  ],
  ['pages that a cache has kept', 'headers', /come out of a cache/, caching()],
  [
    'a proxy that names no caller',
    'forwarding',
    /sends no X-Forwarded-For/,
    { onTheWayIn: ({ headers }) => delete headers['x-forwarded-for'] },
  ],
  [
    'a proxy that lets callers choose',
    'forwarding',
    /anybody can choose/,
    {
      onTheWayIn: ({ headers }) => (headers['x-forwarded-for'] = String(headers['x-forwarded-for']).split(', ')[0]),
    },
  ],
  [
    'a second proxy that is not trusted',
    'forwarding',
    /Another proxy calls from 203\.0\.113\.9, which is not in TRUSTED_PROXIES/,
    {
      onTheWayIn: ({ headers }) =>
        (headers['x-forwarded-for'] = '198.51.100.77, 192.0.2.77, 198.51.100.4, 203.0.113.9'),
    },
  ],
  ['a certificate that anybody could have written', 'forwarding', /CLIENT_CERT_HEADER/, { onTheWayIn: () => {} }],
  [
    'a Host of its own',
    'forwarding',
    /hands on the Host upstream:3000/,
    { onTheWayIn: ({ headers }) => (headers.host = 'upstream:3000') },
  ],
  [
    'a Host that has lost its port',
    'forwarding',
    /hands on the Host localhost instead of localhost:\d+/,
    { onTheWayIn: ({ headers }) => (headers.host = 'localhost') },
  ],
  [
    'long addresses that are cut',
    'sizes',
    /state of 2000 characters does not get through: 414/,
    refusing(414, ({ path }) => path.length > 1_000),
  ],
  [
    'long cookies that are cut',
    'sizes',
    /characters of cookies does not get through: 431/,
    refusing(431, ({ headers }) => String(headers.cookie).length > 4_000),
  ],
  [
    'long bodies that are cut',
    'sizes',
    /50000 bytes does not get through: 413/,
    refusing(413, ({ headers }) => Number(headers['content-length']) > 10_000),
  ],
  [
    'numbers that anybody may read',
    'health',
    /\/metrics answers without/,
    {
      onTheWayOut: (answer, { path }) => {
        if (path === '/metrics') Object.assign(answer, { status: 200, body: '# HELP up\n' })
      },
    },
  ],
  ['a server that is not ready', 'health', /not ready/, refusing(503, ({ path }) => path === '/readyz')],
  [
    'a clock that is ahead',
    'clock',
    /is \d+ seconds ahead/,
    { onTheWayOut: ({ headers }) => (headers.date = new Date(Date.now() + 120_000).toUTCString()) },
  ],
]

test.each(faults)('finds %s', async (_, check, said, fault) => {
  at.proxy.fault = {
    ...fault,
    onTheWayIn: (request) => {
      if (check !== 'forwarding' || !said.source.includes('CERT')) withoutCertificate(request)
      fault.onTheWayIn?.(request)
    },
  }
  const { findings, exit, worst } = await at.told()
  const found = findings.filter((finding) => finding.level !== 'ok')
  expect(found).toContainEqual(
    expect.objectContaining({ check, message: expect.stringMatching(said), hint: expect.any(String) }),
  )
  expect(exit).toBe(worst === 'problem' ? 1 : 0)
})

test('the witness speaks to the holder of the master key alone, so that a question asked again tells nothing', async () => {
  const { secrets, clock } = at.app.services
  const home = `http://localhost:${at.app.config.listen.port}/id/doctor`
  const ask = (proof: string) => send(home, { headers: { authorization: `Bearer ${proof}` } })
  const proof = proofAt(clock.now(), secrets)
  const { body: answer } = await ask(proof)
  expect(answer).toMatch(/^v1\.[\w-]{8}\.[\w-]+$/)
  expect(testimonyIn(answer, proof, secrets)).toMatchObject({ peerIsTrusted: true, forwardedFor: '' })
  expect(testimonyIn(answer, proofAt(clock.now() + 1, secrets), secrets)).toBeUndefined()
  const others = createSecrets([randomBytes(32)])
  expect(testimonyIn(answer, proof, others)).toBeUndefined()
  for (const wrong of ['', '1.a', proofAt(clock.now() - 301, secrets), proofAt(clock.now(), others)])
    expect((await ask(wrong)).status).toBe(404)
})

test.each([
  ['leads to https', 308, { location: 'https://id.example.com/' }, 'ok'],
  ['answers itself', 200, {}, 'warning'],
  ['leads elsewhere without TLS', 301, { location: 'http://id.example.com/login' }, 'warning'],
] as const)('port 80 %s', (_, status, headers, level) => {
  const plain = {
    url: 'http://id.example.com/',
    status,
    headers: new Headers(headers),
    text: '',
    json: undefined,
    receivedAt: 0,
  }
  const tls = { protocol: 'TLSv1.3', distrust: undefined, validUntil: 2e9, outdated: 'untried' } as const
  const outside = { tls, plain, discovery: plain, answers: undefined, answersAtHome: true }
  const here = { issuer: 'https://id.example.com', clock: { now: () => 1.9e9 } }
  const levels = [tlsVerdicts(here, outside)].flat().map((verdict) => verdict.level)
  expect(levels).toEqual(['ok', 'unchecked', level])
})

test('what is found fits a narrow screen', () => {
  const outside = [
    { check: 'tls', ...ok('TLSv1.3, with a certificate that is valid for 80 days.') },
    {
      check: 'headers',
      ...warning('referrer-policy is lost on the way.', 'Have the proxy hand on answers as they are.'),
    },
  ]
  const inside = [{ check: 'mail', ...unchecked('this release sends no mail') }]
  expect(reportText('https://id.example.com', { outside, inside }, 50)).toBe(`From outside, at https://id.example.com
  ok       tls: TLSv1.3, with a certificate that
           is valid for 80 days.
  WARNING  headers: referrer-policy is lost on the
           way.
           → Have the proxy hand on answers as
           they are.

From inside
  –        mail: not checked: this release sends
           no mail

0 problems, 1 warning, 1 ok, 1 not checked.`)
})

/** Gives to everybody what it had of the server first. */
function caching(): Fault {
  const kept = new Map<string, Returned>()
  return {
    onTheWayOut(answer, { path }) {
      if (path.includes('/interaction/')) Object.assign(answer, kept.get(path) ?? structuredClone(answer))
      if (!kept.has(path)) kept.set(path, structuredClone(answer))
    },
  }
}

function rewriting(pattern: RegExp, replacement: string): Fault {
  return {
    onTheWayOut(answer, { path }) {
      if (/openid-configuration|jwks/.test(path)) answer.body = answer.body.replace(pattern, replacement)
    },
  }
}

function cookies(pattern: RegExp, replacement: string): Fault {
  return {
    onTheWayOut({ headers }) {
      headers['set-cookie'] = headers['set-cookie']?.map((cookie) => cookie.replaceAll(pattern, replacement))
    },
  }
}

/** Answers itself what is too much for it. */
function refusing(status: number, isTooMuch: (request: Readonly<Forwarded>) => boolean): Fault {
  return {
    onTheWayOut(answer, asked) {
      if (isTooMuch(asked)) Object.assign(answer, { status, headers: {}, body: 'no' })
    },
  }
}
