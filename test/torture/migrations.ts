// What a migration does to those who write meanwhile. A database as the first releases left it is filled with people;
// while a process of its own writes to it, it is brought to the schema of today. Told are how long a write had to wait,
// and that nothing was lost.
//
//   npm run torture:migrations -- 1000000 [postgres://…]
//
// The second argument is an empty database; without it a file of its own is made.
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql, type Kysely } from 'kysely'
import { MIGRATIONS } from '#app/services.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase } from '#platform/database/open.ts'
import { collect, runNode } from '../support/processes.ts'

/** The schema of the first releases ends with it. */
const FIRST_SCHEMA = '0007_leases'

export interface LiveMigration {
  readonly migrations: number
  readonly migrationMs: number
  /** What the writer was told is written, and the longest it had to wait for that. */
  readonly acknowledged: number
  readonly longestWriteMs: number
  /** Of those writes, how many are there. */
  readonly kept: number
  /** Counts and sums over the rows that were there before. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export async function migrateUnderLoad(url: string, people: number): Promise<LiveMigration> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-first-schema-'))
  const database = openDatabase<Tables>(url, () => {})
  try {
    for (const name of readdirSync(MIGRATIONS))
      if (name <= `${FIRST_SCHEMA}.ts`) symlinkSync(path.join(MIGRATIONS, name), path.join(folder, name))
    await migrate(database, folder)
    await database.unhurried((db) => seed(db, people))
    const before = await database.unhurried(contents)

    const writer = runNode(['test/torture/migration-writer.ts'], { DATABASE_URL: url })
    const { stdout, stderr } = collect(writer)
    const ended = once(writer, 'close')
    while (stdout() === '' && writer.exitCode === null) await sleep(10)
    const begun = performance.now()
    const ran = await migrate(database, MIGRATIONS)
    const migrationMs = performance.now() - begun
    await sleep(200)
    writer.kill('SIGTERM')
    await ended
    const told = /acknowledged (\d+), longest (\d+) ms/.exec(stdout())
    if (!told) throw new Error(`the writer failed: ${stderr()}`)
    return {
      migrations: ran.length,
      migrationMs: Math.round(migrationMs),
      acknowledged: Number(told[1]),
      longestWriteMs: Number(told[2]),
      kept: (await database.db.selectFrom('groups').select('id').execute()).length,
      before,
      after: await database.unhurried(contents),
    }
  } finally {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function seed(db: Kysely<Tables>, people: number): Promise<void> {
  const numbers = sql`with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < ${sql.lit(people)})`
  await sql`${numbers} insert into accounts (id, username_key, email, email_key, email_verified, password_hash, claims,
      admin, created_at, updated_at)
    select 'person-' || i, 'user-' || i, 'p' || i || '@example.com', 'p' || i || '@example.com', 1,
      '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g',
      '{}', 0, i, i from numbers`.execute(db)
  await sql`${numbers} insert into artifacts (id, model, payload, grant_id, account_id, client_id, expires_at)
    select 'artifact-' || i, 'RefreshToken', '{"kind":"RefreshToken"}', 'grant-' || i, 'person-' || i, 'client', 2000000000
    from numbers`.execute(db)
}

async function contents(db: Kysely<Tables>): Promise<readonly string[]> {
  const { rows } = await sql<Record<string, unknown>>`
    select 'accounts' as what, count(*) as rows, sum(created_at) as sum, sum(length(email_key)) as length
      from accounts where id like 'person-%'
    union all
    select 'artifacts', count(*), sum(expires_at), sum(length(payload)) from artifacts where id like 'artifact-%'`.execute(
    db,
  )
  return rows.map((row) => Object.values(row).join(' '))
}

if (import.meta.main) {
  const [people = '1000000', url] = process.argv.slice(2)
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-torture-'))
  try {
    process.stdout.write(
      `${JSON.stringify(await migrateUnderLoad(url ?? `sqlite:${folder}/latchkey.db`, Number(people)), null, 2)}\n`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
