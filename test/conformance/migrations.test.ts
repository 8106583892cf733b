// A schema is whole or not there, whenever a migration is killed and however many start at once.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { MIGRATIONS } from '#app/services.ts'
import type { Tables } from '#core/tables.ts'
import { kindOf } from '#platform/database/dialects/index.ts'
import { migrate, migrationStatus } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { databases, type DatabaseKind } from '../support/databases.ts'
import { freePorts, runNode, startServer } from '../support/processes.ts'

/** MIGRATION_KILLS=1000 kills after every single statement. */
const KILLS = Number(process.env['MIGRATION_KILLS'] ?? 6)

describe.each(databases)('migrations on $name', (kind) => {
  test('F27 a migration that was killed completes at the next start, to the schema of a fresh one', async () => {
    const { schema: fresh, queries } = await freshSchema(kind)
    const step = Math.max(1, Math.floor(queries / KILLS))
    const killPoints = Array.from({ length: queries }, (_, index) => index + 1).filter((point) => point % step === 0)
    for (const point of killPoints) {
      const database = await kind.create()
      try {
        const child = runNode(['test/support/killed-migration.ts'], {
          DATABASE_URL: database.url,
          KILL_AFTER: String(point),
        })
        const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)))
        expect(signal, `killed after query ${point} of ${queries}`).toBe('SIGKILL')
        expect(await migratedSchema(database.url), `after query ${point}`).toEqual(fresh)
      } finally {
        await database.drop()
      }
    }
  })

  test('F28 five servers that start at once on an empty database are all ready, and made everything once', async () => {
    const database = await kind.create()
    const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-five-'))
    const keysDir = path.join(folder, 'keys')
    const ports = await freePorts(5)
    const environment = { ISSUER: `http://localhost:${ports[0]}`, DATABASE_URL: database.url, KEYS_DIR: keysDir }
    const started = await Promise.allSettled(ports.map((port) => startServer(port, environment)))
    const servers = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    try {
      expect(started.flatMap((start) => (start.status === 'rejected' ? [String(start.reason)] : []))).toEqual([])
      const migrated = servers.filter((server) => server.stdout().includes('schema was brought up to date'))
      expect(migrated).toHaveLength(1)
      expect(readdirSync(keysDir)).toEqual(['master.key'])
      for (const { origin } of servers) expect((await fetch(`${origin}/readyz`)).status).toBe(200)
      const published = await Promise.all(
        servers.map(async ({ origin }) => (await fetch(`${origin}/.well-known/jwks.json`)).text()),
      )
      expect(new Set(published).size).toBe(1)
      expect(await query(database.url, 'select alg from signing_keys order by alg')).toEqual([
        { alg: 'ES256' },
        { alg: 'EdDSA' },
        { alg: 'RS256' },
      ])
      expect(await query(database.url, 'select is_locked from kysely_migration_lock')).toEqual([{ is_locked: 0 }])
      for (const server of servers) expect(server.stdout()).not.toMatch(/"level":"(warn|error|fatal)"/)
    } finally {
      await Promise.all(servers.map((server) => server.end()))
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test("F22 a newer release's additions are run on; what it took away is refused with the remedy", async () => {
    const database = await kind.create()
    const newer = newerRelease(['9001_things_expand'])
    const newest = newerRelease(['9001_things_expand', '9002_things_contract'])
    try {
      await on(database.url, async (own) => {
        await migrate(own, MIGRATIONS)
        expect(await migrate(own, newer)).toEqual(['9001_things_expand'])
        expect(await migrate(own, MIGRATIONS)).toEqual([])
        expect(await migrationStatus(own, MIGRATIONS)).toMatchObject({ pending: [], foreign: ['9001_things_expand'] })
        expect(await migrate(own, newest)).toEqual(['9002_things_contract'])
        await expect(migrate(own, MIGRATIONS)).rejects.toMatchObject({
          code: 'configuration',
          message: expect.stringContaining('9002_things_contract'),
          hint: expect.stringMatching(/newer release again|backup/),
        })
        expect(await migrate(own, newest)).toEqual([])
      })
    } finally {
      await database.drop()
      for (const folder of [newer, newest]) rmSync(folder, { recursive: true, force: true })
    }
  })

  test('F29 a migration may take longer than a statement of the server, and a start at the same time waits for it', async () => {
    const database = await kind.create()
    const slow = newerRelease(
      ['9001_things_expand'],
      kind.name === 'postgres' ? 'await db.executeQuery({ sql: "select pg_sleep(7)", parameters: [], query: {} })' : '',
    )
    try {
      await on(database.url, (own) => migrate(own, MIGRATIONS))
      const both = await Promise.all([1, 2].map(() => on(database.url, (own) => migrate(own, slow))))
      expect(both.flat()).toEqual(['9001_things_expand'])
    } finally {
      await database.drop()
      rmSync(slow, { recursive: true, force: true })
    }
  })

  test('a migration that fails leaves nothing behind, and the next start tries again', async () => {
    const database = await kind.create()
    const broken = newerRelease(
      ['9001_things_expand'],
      'await db.schema.createTable("thing").addColumn("id", "text").execute(); throw new Error("half-way")',
    )
    try {
      await on(database.url, async (own) => {
        await migrate(own, MIGRATIONS)
        await expect(migrate(own, broken)).rejects.toThrow('half-way')
        expect((await schemaOf(own)).filter((line) => line.startsWith('thing'))).toEqual([])
        expect(await migrationStatus(own, broken)).toMatchObject({ pending: ['9001_things_expand'] })
      })
    } finally {
      await database.drop()
      rmSync(broken, { recursive: true, force: true })
    }
  })
})

test('F27 a copy of the SQLite files taken after any statement of a migration completes to the fresh schema', async () => {
  const sqlite = databases.find(({ name }) => name === 'sqlite')
  if (!sqlite) throw new Error('SQLite is always there')
  const { schema: fresh } = await freshSchema(sqlite)
  const database = await sqlite.create()
  const file = database.url.slice('sqlite:'.length)
  const images: string[] = []
  const kind = kindOf(database.url)
  const db = new Kysely<Tables>({
    dialect: kind.dialect(database.url, () => {}),
    log() {
      const image = `${file}.after-${images.length}`
      for (const end of ['', '-wal']) if (existsSync(file + end)) copyFileSync(file + end, image + end)
      images.push(image)
    },
  })
  try {
    await migrate({ db, kind, unhurried: (run) => run(db) }, MIGRATIONS)
    expect(images.length).toBeGreaterThan(30)
    for (const image of images) expect(await migratedSchema(`sqlite:${image}`), image).toEqual(fresh)
  } finally {
    await db.destroy()
    await database.drop()
  }
})

/** What a start without accidents makes, and in how many queries. */
async function freshSchema(kind: DatabaseKind): Promise<{ schema: string[]; queries: number }> {
  const database = await kind.create()
  let queries = 0
  const own = kindOf(database.url)
  const db = new Kysely<Tables>({ dialect: own.dialect(database.url, () => {}), log: () => void (queries += 1) })
  const opened = { db, kind: own, unhurried: <R>(run: (same: typeof db) => Promise<R>) => run(db) }
  try {
    await migrate(opened, MIGRATIONS)
    const needed = queries
    return { schema: await schemaOf(opened), queries: needed }
  } finally {
    await db.destroy()
    await database.drop()
  }
}

function migratedSchema(url: string): Promise<string[]> {
  return on(url, async (own) => {
    await migrate(own, MIGRATIONS)
    expect(await migrate(own, MIGRATIONS)).toEqual([])
    return schemaOf(own)
  })
}

/** Every table, column and index, and the migrations that ran; one line each. */
async function schemaOf({ db, kind }: Pick<Database<Tables>, 'db' | 'kind'>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  const columns = tables.flatMap(({ name, columns: all }) =>
    all.map((column) => `${name}.${column.name} ${column.dataType} ${column.isNullable} ${column.hasDefaultValue}`),
  )
  const { rows: indexes } = await (kind.name === 'sqlite'
    ? sql<{ line: string }>`select coalesce(sql, name) as line from sqlite_master where type = 'index'`.execute(db)
    : sql<{ line: string }>`select indexdef as line from pg_indexes where schemaname = 'public'`.execute(db))
  const { applied } = await migrationStatus({ db }, MIGRATIONS)
  return [...columns, ...indexes.map(({ line }) => line), ...applied].toSorted()
}

async function on<T>(url: string, work: (database: Database<Tables>) => Promise<T>): Promise<T> {
  const database = openDatabase<Tables>(url, () => {})
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

function query(url: string, text: string): Promise<unknown[]> {
  return on(url, async ({ db }) => (await sql.raw(text).execute(db)).rows)
}

/** The migrations of this release and these of a later one. */
function newerRelease(names: readonly string[], body = ''): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-migrations-'))
  for (const name of readdirSync(MIGRATIONS)) symlinkSync(path.join(MIGRATIONS, name), path.join(folder, name))
  for (const name of names)
    writeFileSync(
      path.join(folder, `${name}.ts`),
      `export async function up(db: import("kysely").Kysely<unknown>): Promise<void> { ${body} }\n`,
    )
  return folder
}
