// `latchkey doctor` as an operator reads it: a healthy server, what is worth a second thought, and what to do.
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROXIES } from '#features/doctor/snippet.ts'
import { createClient } from '../support/app.ts'
import { brokenProxy } from '../support/broken-proxy.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { databases } from '../support/databases.ts'
import { patient, saidBy, type Patient } from '../support/doctor.ts'
import { freePort } from '../support/free-port.ts'
import { createSqlite } from '../support/fresh-databases.ts'

const sqlite = { name: 'sqlite', create: createSqlite } as const
let at: Patient

describe.each(databases)('on $name', (kind) => {
  beforeAll(async () => {
    at = await patient(kind)
  })
  afterAll(() => at.close())

  test('all is well, and told in one page', async () => {
    const { exit, stdout, stderr } = await at.doctor()
    expect(stdout).toContain(`From outside, at ${at.app.config.issuer}\n`)
    expect(stdout).not.toMatch(/PROBLEM|WARNING/)
    expect([exit, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/\n0 problems, 0 warnings, \d+ ok\.\n$/)
  })

  test('keys and clients that are worth a second thought', async () => {
    const { services } = at.app
    const { client: old } = await createClient(services)
    const { client: hybrid } = await createClient(services, {
      redirect_uris: ['https://app.example/callback'],
      metadata: { response_types: ['code id_token'] },
      scope: 'openid email',
    })
    await services.database.db.updateTable('clients').set({ created_at: 1 }).where('id', '=', old.id).execute()
    await services.database.db.updateTable('signing_keys').set({ activates_at: 1 }).where('alg', '=', 'RS256').execute()
    const seen = await at.told()
    expect([seen.exit, seen.worst]).toEqual([0, 'warning'])
    expect(saidBy('warning', seen)).toEqual([
      'keys: RS256 keys have signed for more than 365 days.',
      `clients: 1 of 2 clients return people over http: ${old.id}.`,
      `clients: 1 of 2 clients are answered with tokens through the browser (implicit or hybrid): ${hybrid.id}.`,
      `clients: 1 of 2 clients may be given refresh tokens, and may not ask for offline_access: ${hybrid.id}.`,
      `clients: 1 of 2 clients have a secret that is older than 365 days: ${old.id}.`,
      `clients: 1 of 2 clients have signed nobody in for 90 days: ${old.id}.`,
    ])
    expect((await at.told(['--strict'])).exit).toBe(1)
  })
})

describe('tells', () => {
  beforeAll(async () => {
    at = await patient(sqlite, { TRUSTED_PROXIES: '' })
  })
  afterAll(() => at.close())

  test('that the proxy is not trusted, which address it has, and how it is set up', async () => {
    at.proxy.fault = { onTheWayOut: ({ headers }) => void (headers['server'] = 'nginx/1.22.1') }
    const { exit, stdout } = await at.doctor()
    expect(stdout).toMatch(/PROBLEM {2}forwarding: The proxy calls from (\S+), which is not in TRUSTED_PROXIES, /)
    expect(stdout).toMatch(/→ Set TRUSTED_PROXIES=(127\.0\.0\.1|::1) /)
    const { port, hostname } = new URL(at.app.config.issuer)
    expect(stdout).toContain(
      `For nginx, as a beginning:\n\n# A server block for nginx. In .env: ISSUER=${at.app.config.issuer} and`,
    )
    for (const line of [
      `listen ${port} ssl;`,
      `server_name ${hostname};`,
      `proxy_pass http://localhost:${at.app.config.listen.port};`,
    ])
      expect(stdout).toContain(line)
    expect(exit).toBe(1)
  })

  test.each(PROXIES)('how %s is set up, for who asks', async (name) => {
    const { proxy: made } = await at.told(['--proxy', name])
    expect(made?.name).toBe(name)
    expect(made?.configuration).toContain(new URL(at.app.config.issuer).hostname)
    expect(made?.configuration).toContain(`localhost:${at.app.config.listen.port}`)
    expect(made?.configuration).not.toMatch(/id\.example\.com|:3000/)
  })

  test('that another installation answers, by its master key', async () => {
    const seen = await at.told([], {
      MASTER_KEY: 'A'.repeat(43),
      DATABASE_URL: `sqlite:${at.app.config.keysDir}/none.db`,
    })
    expect(saidBy('problem', seen)).toContainEqual(
      expect.stringContaining("does not know this installation's master key"),
    )
    expect(saidBy('warning', seen)).toContainEqual(expect.stringContaining('There is no database yet'))
  })

  test('warnings, which are no failure unless asked for', async () => {
    at.proxy.fault = { onTheWayIn: ({ headers }) => void (headers.host = 'upstream') }
    const environment = {
      METRICS_TOKEN: 'short',
      LOG_LEVEL: 'debug',
      OUTBOUND_ALLOW: '0.0.0.0/0',
    }
    const seen = await at.told([], environment)
    expect(saidBy('warning', seen).filter((said) => said.startsWith('settings'))).toHaveLength(3)
  })

  test('what is between where the server runs and ISSUER does not lead to it', async () => {
    const seen = await at.told([], { ISSUER: `https://localhost:${await freePort()}` })
    expect(seen.exit).toBe(1)
    expect(seen.findings[0]).toMatchObject({
      check: 'reachable',
      hint: expect.stringContaining('answers at localhost, port'),
    })
  })

  test('what keeps it from starting, and the rest of it', async () => {
    const seen = await at.told([], { TLS_CERT: '/nowhere.pem', TLS_KEY: '/nowhere.pem' })
    expect(saidBy('problem', seen)).toContainEqual('start: TLS_CERT names /nowhere.pem, which cannot be read.')
    expect(seen.exit).toBe(1)
  })

  test('settings that cannot be read, as every command does', async () => {
    expect(await at.doctor([], { ISSUER: 'http://id.example.com' })).toMatchObject({ exit: 78, stdout: '' })
  })

  test.each([
    ['signed by itself', {}, false, /is signed by itself/],
    ['expired', { days: -1 }, true, /has expired/],
    ['for another name', { name: 'other.example' }, true, /is for another name/],
    ['soon to expire', { days: 5 }, true, /expires in [45] days/],
  ] as const)('a certificate that is %s', async (_, options, isBelieved, said) => {
    const believed = getCACertificates('default')
    const other = await certificateOfLocalhost(options)
    const front = await freePort()
    const second = await brokenProxy(front, at.app.config.listen.port, other)
    if (isBelieved) setDefaultCACertificates([...getCACertificates('bundled'), other.certificate])
    const seen = await at.told([], { ISSUER: `https://localhost:${front}` })
    setDefaultCACertificates(believed)
    await second.close()
    expect(seen.findings).toContainEqual(
      expect.objectContaining({ check: 'tls', message: expect.stringMatching(said) }),
    )
  })
})
