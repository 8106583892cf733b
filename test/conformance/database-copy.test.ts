// A database moves whole, in either direction, also when the copy is killed on its way.
import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkStart } from '#app/check-start.ts'
import { loadConfig } from '#app/config.ts'
import { MIGRATIONS, openServices } from '#app/services.ts'
import { copyDatabase, type CopyTables, type RowCounts } from '#platform/database/copy.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { tablesOf } from '#platform/database/schema.ts'
import { databases, type DatabaseKind, type TestDatabase } from '../support/databases.ts'
import { runNode } from '../support/processes.ts'

/** More than a page. */
const ROWS = 520
const directions = databases.flatMap((from) =>
  databases.map((to) => ({ from, to, words: `${from.name} to ${to.name}` })),
)

describe.each(directions)('a copy from $words', ({ from, to }) => {
  let source: Database<CopyTables>
  let sourceUrl: string
  const open: { database?: Database<CopyTables>; drop(): Promise<void> }[] = []

  beforeAll(async () => {
    const created = await fresh(from)
    source = created.database
    sourceUrl = created.url
    await migrate(source, MIGRATIONS)
    await fillEveryTable(source)
  })
  afterAll(async () => {
    for (const { database, drop } of open) {
      await database?.close()
      await drop()
    }
  })

  async function fresh(kind: DatabaseKind): Promise<TestDatabase & { database: Database<CopyTables> }> {
    const created = await kind.create()
    const database = openDatabase<CopyTables>(created.url, () => {})
    open.push({ database, drop: created.drop })
    return { ...created, database }
  }
  const copyTo = (target: Database<CopyTables>): Promise<RowCounts> =>
    copyDatabase({ source, target, migrations: MIGRATIONS, without: [] })

  test('brings every row of every table, as it was, and is refused a second time', async () => {
    const { database: target } = await fresh(to)
    const copied = await copyTo(target)
    for (const { name } of await tablesOf(MIGRATIONS)) {
      if (name === 'copy_progress') continue
      expect(copied[name], name).toBe(ROWS)
      expect(await someOf(target, name), name).toEqual(await someOf(source, name))
    }
    await expect(copyTo(target)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('not empty'),
    })
  })

  // once for each kind of target is enough
  if (from === to && directions.length > 1) return

  test('that was killed is served by nobody, goes on where it stopped, and notices what changed meanwhile', async () => {
    const { database: target, url } = await fresh(to)
    await migrate(target, MIGRATIONS)
    const child = runNode(['test/support/killed-copy.ts'], {
      SOURCE_URL: sourceUrl,
      DATABASE_URL: url,
      KILL_IN_PAGE: '7',
    })
    const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)))
    expect(signal).toBe('SIGKILL')
    const progress = await target.db.selectFrom('copy_progress').select('rows').execute()
    expect(progress.filter(({ rows }) => rows === ROWS).length).toBeGreaterThan(0)
    expect(progress.filter(({ rows }) => rows === 0).length).toBeGreaterThan(0)

    const config = loadConfig({
      DATABASE_URL: url,
      MASTER_KEY: randomBytes(32).toString('base64url'),
      LOG_LEVEL: 'silent',
    })
    for (const start of [openServices, checkStart])
      await expect(start(config)).rejects.toMatchObject({
        code: 'configuration',
        hint: expect.stringContaining('same command'),
      })

    await sql`update accounts set name = 'changed' where id = 'row-1'`.execute(source.db)
    await expect(copyTo(target)).rejects.toMatchObject({
      message: expect.stringMatching(/not what was sent: accounts\./),
    })
    await sql`update accounts set name = 'row-1' where id = 'row-1'`.execute(source.db)
    expect((await copyTo(target))['accounts']).toBe(ROWS)
    expect(await target.db.selectFrom('copy_progress').select('rows').execute()).toEqual([])
  })
})

test('refuses a source of another release, and one that is not of Latchkey', async () => {
  const [source, target] = [1, 2].map(() => openDatabase<CopyTables>('sqlite::memory:', () => {}))
  if (!source || !target) throw new Error('two were opened')
  const copying = copyDatabase({ source, target, migrations: MIGRATIONS, without: [] })
  await expect(copying).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('not of Latchkey') })
  await migrate(source, MIGRATIONS)
  await sql`insert into kysely_migration values ('9001_newer', 'now')`.execute(source.db)
  const again = copyDatabase({ source, target, migrations: MIGRATIONS, without: [] })
  await expect(again).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('newer release') })
})

/** Rows that refer to each other by one value, with what is hard to carry: other scripts, quotes, numbers up to 2^53 - 1. */
async function fillEveryTable({ db }: Database<CopyTables>): Promise<void> {
  const shapes = new Map((await db.introspection.getTables()).map((table) => [table.name, table.columns]))
  for (const { name } of await tablesOf(MIGRATIONS)) {
    if (name === 'copy_progress') continue
    const columns = shapes.get(name) ?? []
    const rows = Array.from({ length: ROWS }, (_, index) =>
      columns.map(({ dataType: type, isNullable, name: column }) => {
        const dataType = type.toLowerCase()
        if (isNullable && index % 3 === 0) return sql`null`
        if (dataType === 'text') return sql.val(column === 'payload' ? `{"é": "‘'"}  ${index} 🗝` : `row-${index}`)
        return sql.val(dataType === 'integer' || dataType === 'int4' ? index : Number.MAX_SAFE_INTEGER - index)
      }),
    )
    const values = sql.join(rows.map((row) => sql`(${sql.join(row)})`))
    const names = sql.join(columns.map(({ name: column }) => sql.ref(column)))
    await sql`insert into ${sql.table(name)} (${names}) values ${values}`.execute(db)
  }
}

/** Rows of the table as sets of JSON lines: the databases order them in their own ways. */
async function someOf({ db }: Database<CopyTables>, table: string): Promise<string[]> {
  const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(db)
  return rows.map((row) => JSON.stringify(Object.entries(row).toSorted())).toSorted()
}
