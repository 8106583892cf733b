// The database cannot be written to, since its disk is full or it is read-only: writes hear 503 with Retry-After, what is
// only read is served, and everything works again by itself.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases, type DatabaseKind } from '../support/databases.ts'
import { patiently } from '../support/patience.ts'
import { asAdministrator } from '../support/postgres-administrator.ts'
import { authorizeUrl, refresh, send, tokensFor, tokensIn, userinfo, type Answer } from '../support/protocol.ts'

const MEGABYTE = 1_048_576

interface Scene {
  readonly app: TestApp
  readonly client: RegisteredClient
}

async function openScene(kind: DatabaseKind): Promise<Scene> {
  const app = await startApp(kind)
  await createPerson(app.services)
  return { app, client: await createClient(app.services, { first_party: true, refresh_tokens: 'always' }) }
}

function expectUnavailable(answer: Answer): void {
  expect(answer.status, answer.body).toBe(503)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(answer.body).toContain('temporarily_unavailable')
  expect(answer.body).not.toMatch(/SQLITE|read-only|readonly|ENOSPC|\.ts:/i)
}

async function expectReadsServed({ app }: Scene, accessToken: string): Promise<void> {
  for (const known of ['/.well-known/jwks.json', '/.well-known/openid-configuration', '/healthz', '/readyz'])
    expect((await send(`${app.issuer}${known}`)).status, known).toBe(200)
  expect((await userinfo(app, accessToken)).status).toBe(200)
}

/** Makes the database one that is not written to, and takes that back. */
interface WriteProtection {
  on(app: TestApp): Promise<unknown>
  off(app: TestApp): Promise<unknown>
}

/** On the server's own connection: as root, the mode of a file protects nothing. */
const queryOnly = (value: 'on' | 'off') => (app: TestApp) =>
  sql`${sql.raw(`pragma query_only = ${value}`)}`.execute(app.services.database.db)

/** As the console of a cloud does it: for connections from then on. */
const defaultReadOnly =
  (value: 'on' | 'off') =>
  async ({ config }: TestApp): Promise<void> => {
    const url = config.databaseUrl.reveal()
    const name = new URL(url).pathname.slice(1)
    await asAdministrator(url, async (client) => {
      await client.query('set default_transaction_read_only = off')
      await client.query(`alter database "${name}" set default_transaction_read_only = ${value}`)
      await client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
        [name],
      )
    })
  }

const PROTECTIONS: Readonly<Record<DatabaseKind['name'], WriteProtection>> = {
  sqlite: { on: queryOnly('on'), off: queryOnly('off') },
  postgres: { on: defaultReadOnly('on'), off: defaultReadOnly('off') },
}

describe.each(databases)('F5 while $name is read-only', (kind) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(kind)
  })
  afterAll(() => scene.app.close())

  test('writes hear 503, what is read is served, and all works once it is writable', async () => {
    const { app, client } = scene
    const { refreshToken, accessToken } = await tokensFor(app, client)
    await PROTECTIONS[kind.name].on(app)
    expectUnavailable(await refresh(app, client, refreshToken))
    expectUnavailable(await send(authorizeUrl(app, client)))
    await expectReadsServed(scene, accessToken)
    await PROTECTIONS[kind.name].off(app)
    // a connection that has just been ended may be met once more
    await patiently(async () => expect((await refresh(app, client, refreshToken)).status).toBe(200))
  })
})

describe('F5 while the disk of sqlite is full', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-small-disk-'))
  const isSmall = mountSmall(folder)
  afterAll(() => {
    if (isSmall) execFileSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true, force: true })
  })

  test.skipIf(!isSmall)('writes under load hear 503 or are kept, and there is room again after a while', async () => {
    mkdirSync(path.join(folder, 'data'))
    const url = `sqlite:${path.join(folder, 'data', 'latchkey.db')}`
    const scene = await openScene({ name: 'sqlite', create: async () => ({ url, drop: async () => {} }) })
    const { app, client } = scene
    try {
      const chains = await Promise.all(Array.from({ length: 4 }, () => tokensFor(app, client)))
      fill(path.join(folder, 'ballast'))
      const ends = await Promise.all(chains.map((chain) => refreshUntilRefused(scene, chain.refreshToken)))
      for (const { refused } of ends) expectUnavailable(refused)
      await expectReadsServed(scene, chains[0]?.accessToken ?? '')
      rmSync(path.join(folder, 'ballast'))
      // what was answered was stored, and what was refused was not: each chain goes on where it stood
      for (const { last } of ends) expect((await refresh(app, client, last)).status).toBe(200)
      const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(app.services.database.db)
      expect(rows).toEqual([{ integrity_check: 'ok' }])
    } finally {
      await app.close()
    }
  })
})

describe('F9 while another program reads sqlite for long', () => {
  test('the log grows beside it, and gives its room back once the reader has gone', async () => {
    const { app } = await openScene(databases[0] ?? expect.fail('no database'))
    const file = app.config.databaseUrl.reveal().slice('sqlite:'.length)
    const { db } = app.services.database
    const reader = new Sqlite(file, { readonly: true })
    try {
      reader.exec('begin')
      reader.prepare('select count(*) from clients').get()
      await sql`create table ballast as select zeroblob(70000000) as bytes`.execute(db)
      expect(statSync(`${file}-wal`).size).toBeGreaterThan(70_000_000)
      reader.exec('commit')
      await sql`delete from ballast`.execute(db)
      await createClient(app.services)
      expect(statSync(`${file}-wal`).size).toBeLessThanOrEqual(67_108_864)
    } finally {
      reader.close()
      await app.close()
    }
  })
})

/** Refreshes until there is no room, and tells the last token that was answered. */
async function refreshUntilRefused({ app, client }: Scene, first: string): Promise<{ last: string; refused: Answer }> {
  let last = first
  for (;;) {
    const answer = await refresh(app, client, last)
    if (answer.status !== 200) return { last, refused: answer }
    last = tokensIn(answer).refreshToken
  }
}

/** A real disk of its own; only root may mount one. */
function mountSmall(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' })
    return statSync(folder).dev !== statSync(path.dirname(folder)).dev
  } catch {
    return false
  }
}

function fill(file: string): void {
  for (const size of [MEGABYTE, 65_536, 4_096]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // no room for a piece of this size
    }
  }
  if (readdirSync(path.dirname(file)).length === 0) throw new Error('nothing was written')
}
