// `latchkey doctor` on real servers behind a proxy with every fault that it is there to find.
import { randomBytes } from 'node:crypto'
import { setDefaultCACertificates, getCACertificates } from 'node:tls'
import { z } from 'zod'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { administration } from '#app/administration.ts'
import { createSecrets } from '#core/secrets.ts'
import { LEVELS } from '#features/doctor/finding.ts'
import { PROXIES } from '#features/doctor/snippet.ts'
import { proofAt } from '#features/doctor/witness.ts'
import { runCommandLine } from '#platform/cli.ts'
import { createClient, startApp, type TestApp } from '../support/app.ts'
import { brokenProxy, type BrokenProxy, type Fault, type Forwarded } from '../support/broken-proxy.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { send } from '../support/protocol.ts'
import { captureTerminal } from '../support/terminal.ts'

const SECRET = /[A-Za-z0-9_-]{43}/
const finding = z.strictObject({
  check: z.string(),
  level: z.enum(LEVELS),
  message: z.string(),
  hint: z.string().optional(),
})
const answer = z.strictObject({
  worst: z.enum(LEVELS),
  findings: z.array(finding),
  proxy: z.strictObject({ name: z.string(), configuration: z.string() }).nullable(),
})
const believed = getCACertificates()
const certificate = await certificateOfLocalhost()

let issuer: string
let app: TestApp
let proxy: BrokenProxy

beforeAll(() => setDefaultCACertificates([...believed, certificate.certificate]))
afterAll(() => setDefaultCACertificates(believed))
afterEach(() => vi.unstubAllEnvs())

async function doctor(argv: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const { terminal, stdout, stderr } = captureTerminal()
  const withNeeds = (): never => {
    throw new Error('the doctor opens what it needs itself')
  }
  const exit = await runCommandLine({ groups: [], standalone: administration, withNeeds, terminal }, [
    'doctor',
    ...argv,
  ])
  return { exit, stdout: stdout(), stderr: stderr() }
}

const stripped = ({ headers }: Forwarded) => void delete headers['x-cert']

/** Behind the proxy, under a path. */
async function serve(
  kind: (typeof databases)[number],
  proxied: Readonly<Record<string, string>> = { TRUSTED_PROXIES: '127.0.0.1,::1', CLIENT_CERT_HEADER: 'X-Cert' },
): Promise<void> {
  const [front, back] = [await freePort(), await freePort()]
  issuer = `https://localhost:${front}/id`
  app = await startApp(kind, {
    settings: { ISSUER: issuer, PORT: String(back), ...proxied },
  })
  proxy = await brokenProxy(front, back, certificate)
}

async function stop(): Promise<void> {
  await proxy.close()
  await app.close()
}

const settings = () => ({
  ISSUER: issuer,
  HOST: 'localhost',
  PORT: String(app.config.listen.port),
  DATABASE_URL: app.config.databaseUrl.reveal(),
  KEYS_DIR: app.config.keysDir,
  TRUSTED_PROXIES: '127.0.0.1,::1',
  CLIENT_CERT_HEADER: 'X-Cert',
})

describe.each(databases)('on $name', (kind) => {
  beforeAll(() => serve(kind))
  afterAll(stop)

  test('all is well, and told in one page', async () => {
    proxy.fault = { onTheWayIn: stripped }
    const { exit, stdout, stderr } = await doctor([], settings())
    expect(stdout).toContain(`From outside, at ${issuer}\n`)
    expect(stdout).not.toMatch(/PROBLEM|WARNING/)
    expect([exit, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/\n0 problems, 0 warnings, \d+ ok\.\n$/)
    expect(stdout).not.toMatch(SECRET)
  })

  test('keys and clients that are worth a second thought', async () => {
    proxy.fault = { onTheWayIn: stripped }
    const { services } = app
    const { client: old } = await createClient(services)
    const { client: hybrid } = await createClient(services, {
      redirect_uris: ['https://app.example/callback'],
      metadata: { response_types: ['code id_token'] },
      scope: 'openid email',
    })
    await services.database.db.updateTable('clients').set({ created_at: 1 }).where('id', '=', old.id).execute()
    await services.database.db.updateTable('signing_keys').set({ activates_at: 1 }).where('alg', '=', 'RS256').execute()
    const seen = await told()
    expect([seen.exit, seen.worst]).toEqual([0, 'warning'])
    expect(saidBy('warning', seen)).toEqual([
      'keys: RS256 keys have signed for more than 365 days.',
      `clients: 1 of 2 clients return people over http: ${old.id}.`,
      `clients: 1 of 2 clients are answered with tokens through the browser (implicit or hybrid): ${hybrid.id}.`,
      `clients: 1 of 2 clients may be given refresh tokens, and may not ask for offline_access: ${hybrid.id}.`,
      `clients: 1 of 2 clients have a secret that is older than 365 days: ${old.id}.`,
      `clients: 1 of 2 clients have signed nobody in for 90 days: ${old.id}.`,
    ])
    expect((await told(['--strict'])).exit).toBe(1)
  })
})

describe('finds', () => {
  beforeAll(async () => {
    const [sqlite] = databases
    if (sqlite) await serve(sqlite)
  })
  afterAll(stop)

  const faults: readonly (readonly [what: string, check: string, said: RegExp, fault: Fault])[] = [
    [
      'a port that is lost',
      'discovery',
      /the port is lost/,
      rewriting(/"issuer":"https:\/\/localhost:\d+/, '"issuer":"https://localhost'),
    ],
    [
      'http in the place of https',
      'discovery',
      /it is http, not https/,
      rewriting(/"issuer":"https/, '"issuer":"http'),
    ],
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
      /lost HttpOnly; .*lost SameSite=Lax; .*lost Secure/,
      cookies(/; (httponly|samesite=lax|secure)/gi, ''),
    ],
    ['a path that cookies lost', 'cookies', /the path of \S+ is \/interaction/, cookies(/path=\/id/gi, 'path=')],
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
      /strict-transport-security arrives more than once/,
      {
        onTheWayOut: ({ headers }) => (headers['strict-transport-security'] += ', max-age=1'),
      },
    ],
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
    ['a certificate that anybody could have written', 'forwarding', /CLIENT_CERT_HEADER/, { onTheWayIn: () => {} }],
    [
      'a Host of its own',
      'forwarding',
      /hands on the Host upstream:3000/,
      { onTheWayIn: ({ headers }) => (headers.host = 'upstream:3000') },
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

  test.each(faults)('%s', async (_, check, said, fault) => {
    proxy.fault = {
      ...fault,
      onTheWayIn: (request) => {
        if (check !== 'forwarding' || !said.source.includes('CERT')) stripped(request)
        fault.onTheWayIn?.(request)
      },
    }
    const { findings, exit, worst } = await told()
    const found = findings.filter((finding) => finding.level !== 'ok')
    expect(found).toContainEqual(
      expect.objectContaining({ check, message: expect.stringMatching(said), hint: expect.any(String) }),
    )
    expect(exit).toBe(worst === 'problem' ? 1 : 0)
  })
})

describe('tells', () => {
  beforeAll(async () => {
    const [sqlite] = databases
    if (sqlite) await serve(sqlite, { TRUSTED_PROXIES: '' })
    proxy.fault = {}
  })
  afterAll(stop)

  test('that the proxy is not trusted, which address it has, and how it is set up', async () => {
    proxy.fault = { onTheWayOut: ({ headers }) => void (headers['server'] = 'nginx/1.22.1') }
    const { exit, stdout } = await doctor([], settings())
    expect(stdout).toMatch(/PROBLEM {2}forwarding: The proxy calls from (\S+), which is not in TRUSTED_PROXIES, /)
    expect(stdout).toMatch(/→ Set TRUSTED_PROXIES=(127\.0\.0\.1|::1) /)
    const { port, hostname } = new URL(issuer)
    expect(stdout).toContain(`For nginx, as a beginning:\n\n# A server block for nginx. In .env: ISSUER=${issuer} and`)
    for (const line of [
      `listen ${port} ssl;`,
      `server_name ${hostname};`,
      `proxy_pass http://localhost:${app.config.listen.port};`,
    ])
      expect(stdout).toContain(line)
    expect(exit).toBe(1)
  })

  test.each(PROXIES)('how %s is set up, for who asks', async (name) => {
    const { proxy: made } = await told(['--proxy', name])
    expect(made?.name).toBe(name)
    expect(made?.configuration).toContain(new URL(issuer).hostname)
    expect(made?.configuration).toContain(`localhost:${app.config.listen.port}`)
    expect(made?.configuration).not.toMatch(/id\.example\.com|:3000/)
  })

  test('that another installation answers, by its master key', async () => {
    const seen = await told([], {
      ...settings(),
      MASTER_KEY: 'A'.repeat(43),
      DATABASE_URL: `sqlite:${app.config.keysDir}/none.db`,
    })
    expect(saidBy('problem', seen)).toContainEqual(
      expect.stringContaining("does not know this installation's master key"),
    )
    expect(saidBy('warning', seen)).toContainEqual(expect.stringContaining('There is no database yet'))
  })

  test('warnings, which are no failure unless asked for', async () => {
    proxy.fault = { onTheWayIn: ({ headers }) => void (headers.host = 'upstream') }
    const environment = {
      ...settings(),
      ISSUER: issuer,
      METRICS_TOKEN: 'short',
      LOG_LEVEL: 'debug',
      OUTBOUND_ALLOW: '0.0.0.0/0',
    }
    const seen = await told([], environment)
    expect(saidBy('warning', seen).filter((said) => said.startsWith('settings'))).toHaveLength(3)
  })

  test('what is between where the server runs and ISSUER does not lead to it', async () => {
    const seen = await told([], { ...settings(), ISSUER: `https://localhost:${await freePort()}` })
    expect(seen.exit).toBe(1)
    expect(seen.findings[0]).toMatchObject({
      check: 'reachable',
      hint: expect.stringContaining('answers at localhost, port'),
    })
  })

  test('what keeps it from starting, and the rest of it', async () => {
    const seen = await told([], { ...settings(), TLS_CERT: '/nowhere.pem', TLS_KEY: '/nowhere.pem' })
    expect(saidBy('problem', seen)).toContainEqual('start: TLS_CERT names /nowhere.pem, which cannot be read.')
    expect(seen.exit).toBe(1)
  })

  test('settings that cannot be read, as every command does', async () => {
    expect(await doctor([], { ...settings(), ISSUER: 'http://id.example.com' })).toMatchObject({ exit: 78, stdout: '' })
  })

  test.each([
    ['signed by itself', {}, false, /is signed by itself/],
    ['expired', { days: -1 }, true, /has expired/],
    ['for another name', { name: 'other.example' }, true, /is for another name/],
    ['soon to expire', { days: 5 }, true, /expires in [45] days/],
  ] as const)('a certificate that is %s', async (_, options, isBelieved, said) => {
    const other = await certificateOfLocalhost(options)
    const front = await freePort()
    const second = await brokenProxy(front, app.config.listen.port, other)
    if (isBelieved) setDefaultCACertificates([...believed, other.certificate])
    const seen = await told([], { ...settings(), ISSUER: `https://localhost:${front}` })
    setDefaultCACertificates([...believed, certificate.certificate])
    await second.close()
    expect(seen.findings).toContainEqual(
      expect.objectContaining({ check: 'tls', message: expect.stringMatching(said) }),
    )
  })
})

test('the witness speaks to the holder of the master key alone, and only for a while', async () => {
  const [sqlite] = databases
  if (!sqlite) return
  const one = await startApp(sqlite)
  const { secrets, clock } = one.services
  const ask = (authorization: string) => send(`${one.issuer}/doctor`, { headers: { authorization } })
  expect(await ask(`Bearer ${proofAt(clock.now(), secrets)}`)).toMatchObject({ status: 200 })
  for (const proof of [
    '',
    '1.a',
    proofAt(clock.now() - 301, secrets),
    proofAt(clock.now(), createSecrets([randomBytes(32)])),
  ])
    expect(await ask(`Bearer ${proof}`)).toMatchObject({ status: 404 })
  await one.close()
})

function saidBy(level: 'warning' | 'problem', { findings }: z.output<typeof answer>): string[] {
  return findings.flatMap((found) => (found.level === level ? [`${found.check}: ${found.message}`] : []))
}

async function told(argv: readonly string[] = [], environment: Readonly<Record<string, string>> = settings()) {
  const { exit, stdout } = await doctor(['--json', ...argv], environment)
  expect(stdout).not.toMatch(/"latchkey_|Bearer/)
  return { exit, ...answer.parse(JSON.parse(stdout)) }
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
