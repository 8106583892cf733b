// `latchkey doctor` as an operator reads it: a healthy server, what is worth a second thought, and what to do.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SERVER } from '#core/audit/event.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { timedId } from '#core/timed-id.ts'
import { PROXIES } from '#features/doctor/snippet.ts'
import { createClient, createPerson } from '../support/app.ts'
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
    expect(stdout).toMatch(/\n0 problems, 0 warnings, \d+ ok, 2 not checked\.\n$/)
    expect(stdout).toContain('mail: not checked: this release sends no mail\n')
  })

  test('keys and clients that are worth a second thought', async () => {
    const { services } = at.app
    const { db } = services.database
    const { client: old } = await createClient(services)
    const { client: hybrid } = await createClient(services, {
      redirect_uris: Array.from({ length: 11 }, (_, nth) => `https://app.example/${nth}`),
      metadata: { response_types: ['code id_token'] },
      scope: 'openid email',
    })
    const { client: television } = await createClient(services, {
      redirect_uris: ['https://tv.example/callback'],
      metadata: { grant_types: ['authorization_code', DEVICE_GRANT], response_types: ['code'] },
    })
    const { client: over } = await createClient(services)
    await db.updateTable('clients').set({ created_at: 1 }).where('id', 'in', [old.id, television.id]).execute()
    await db
      .updateTable('clients')
      .set({ secret_rotated_at: services.clock.now() })
      .where('id', '=', television.id)
      .execute()
    await db.updateTable('clients').set({ disabled_at: 1 }).where('id', '=', over.id).execute()
    await db.updateTable('signing_keys').set({ activates_at: 1 }).where('alg', '=', 'RS256').execute()
    const { id: account } = await createPerson(services)
    const row = { id: timedId(services.clock.now()), at: services.clock.now(), client_id: television.id }
    await db
      .insertInto('claim_receipts')
      .values({ ...row, account_id: account, place: 'id_token', claims: '[]' })
      .execute()
    const used = (grant: string) =>
      services.audit.record({ type: 'token_family.started', by: SERVER, clientId: television.id, facts: { grant } })
    await used('authorization_code')
    const seen = await at.told()
    expect([seen.exit, seen.worst]).toEqual([0, 'warning'])
    expect(saidBy('warning', seen)).toEqual([
      'keys: RS256 keys have signed for more than 365 days.',
      `clients: 1 of 4 clients return people over http: ${old.id}.`,
      `clients: 1 of 4 clients have more than 10 redirect URIs: ${hybrid.id}.`,
      `clients: 1 of 4 clients are answered with tokens through the browser (implicit or hybrid): ${hybrid.id}.`,
      `clients: 1 of 4 clients may be given refresh tokens, and may not ask for offline_access: ${hybrid.id}.`,
      `clients: 1 of 4 clients have grant types that nobody signed in by for 90 days: ${television.id}.`,
      `clients: 1 of 4 clients have a secret that is older than 365 days: ${old.id}.`,
      `clients: 1 of 4 clients have signed nobody in for 90 days: ${old.id}.`,
      `clients: 1 of 4 clients have been disabled for 365 days: ${over.id}.`,
    ])
    expect(seen.findings).toContainEqual(
      expect.objectContaining({ hint: `Run latchkey client rotate-secret ${old.id} --overlap 86400.` }),
    )
    await used(DEVICE_GRANT)
    const later = await at.told(['--strict'])
    expect([later.exit, saidBy('warning', later).length]).toEqual([1, 8])
    const forgetful = await at.told([], { CLAIM_RECEIPTS_RETENTION_SECONDS: '0' })
    expect(saidBy('unchecked', forgetful)).toContainEqual(expect.stringMatching(/^clients: not checked: which clients/))
  })

  test('what can be seen, where a master key or tables are wrong', async () => {
    const { db } = at.app.services.database
    const KEYS_DIR = await mkdtemp(join(at.app.config.keysDir, 'bad-'))
    await writeFile(join(KEYS_DIR, 'master.key'), 'no key', { mode: 0o600 })
    const keyless = await at.told([], { KEYS_DIR })
    expect(saidBy('problem', keyless)).toEqual([expect.stringMatching(/^start: .*does not hold a master key/)])
    expect(saidBy('ok', keyless)).toContain('migrations: All migrations have run.')
    expect(saidBy('warning', keyless)).toContainEqual(expect.stringMatching(/^keys: /))
    expect(saidBy('unchecked', keyless)).toContainEqual(
      expect.stringMatching(/^forwarding: not checked: .*master key$/),
    )

    await sql`delete from kysely_migration where name like '0026%'`.execute(db)
    const behind = await at.told([], { KEYS_DIR })
    expect(saidBy('warning', behind)).toEqual(['migrations: 1 migrations have not run.'])
    expect(saidBy('unchecked', behind)).toEqual([
      'jwks: not checked: the tables are not those of this release',
      expect.stringMatching(/^forwarding: /),
      'keys: not checked: the tables are not those of this release',
      'clients: not checked: the tables are not those of this release',
      expect.stringMatching(/^mail: /),
    ])
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
    expect(saidBy('unchecked', seen)).toContain(
      'database: not checked: there is no database yet; the first start makes it',
    )
  })

  test('warnings, which are no failure unless asked for', async () => {
    at.proxy.fault = { onTheWayIn: ({ headers }) => void (headers.host = 'upstream') }
    const environment = {
      METRICS_TOKEN: 'short',
      MASTER_KEY: `${'A'.repeat(43)},${'B'.repeat(42)}A`,
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

  test('what of a database that is none cannot be looked at', async () => {
    const file = join(at.app.config.keysDir, 'garbage.db')
    await writeFile(file, 'garbage', { mode: 0o640 })
    const seen = await at.told([], { DATABASE_URL: `sqlite:${file}` })
    expect(saidBy('unchecked', seen)).toEqual([
      'jwks: not checked: the database was not read',
      `database: not checked: The database file ${file} cannot be opened: file is not a database`,
      'migrations: not checked: the database was not read',
      'keys: not checked: the database was not read',
      'clients: not checked: the database was not read',
      'mail: not checked: this release sends no mail',
    ])
    expect(saidBy('warning', seen)).toContain(`database_file: ${file} can be read by other users of this machine.`)
  })

  test('settings that cannot be read, as every command does', async () => {
    expect(await at.doctor([], { ISSUER: 'http://id.example.com' })).toMatchObject({ exit: 78, stdout: '' })
  })

  test.each([
    ['signed by itself', {}, false, /is signed by itself/],
    ['expired', { days: -1 }, true, /has expired/],
    ['for another name', { name: 'other.example' }, true, /is for another name/],
    ['soon to expire', { days: 5 }, true, /expires in [45] days/],
    ['sent without its authority', { issuer: 'An authority' }, false, /comes without the certificates between/],
  ] as const)('a certificate that is %s, and a proxy that speaks TLS 1.1', async (_, options, isBelieved, said) => {
    const believed = getCACertificates('default')
    const other = await certificateOfLocalhost(options)
    const front = await freePort()
    const second = await brokenProxy(front, at.app.config.listen.port, { ...other, ...OUTDATED })
    if (isBelieved) setDefaultCACertificates([...getCACertificates('bundled'), other.certificate])
    const seen = await at.told([], { ISSUER: `https://localhost:${front}` })
    setDefaultCACertificates(believed)
    await second.close()
    expect(seen.findings).toContainEqual(
      expect.objectContaining({ check: 'tls', message: expect.stringMatching(said) }),
    )
    expect(saidBy('warning', seen)).toContainEqual(expect.stringContaining('TLS 1.1 or 1.0 is spoken'))
  })
})

test('tells that whoever calls may be anybody, where everybody is a trusted proxy', async () => {
  at = await patient(sqlite, { TRUSTED_PROXIES: '0.0.0.0/0,::/0' })
  const seen = await at.told()
  await at.close()
  expect(saidBy('problem', seen)).toContainEqual(expect.stringMatching(/^forwarding: .* holds addresses of strangers/))
})

const OUTDATED = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
