/**
 * One database into another, of whichever kinds: for a move, for a backup, and for its way back. The source is read in
 * one snapshot and in pages, by primary key; each page is one transaction of the target, which notes how far it came.
 * So a copy that was killed goes on where it stopped, and while such a note stands nothing serves the target. In the end
 * every table is counted and digested on both sides.
 */
import { createHash } from 'node:crypto'
import { sql, type Kysely, type RawBuilder } from 'kysely'
import { AppError } from '#platform/errors.ts'
import { migrate, migrationStatus } from './migrate.ts'
import type { Database } from './open.ts'
import { tablesOf, type TableShape } from './schema.ts'

export interface CopyTables {
  copy_progress: { table_name: string; rows: number }
}

export interface Copying {
  readonly source: Database<CopyTables>
  readonly target: Database<CopyTables>
  /** The folder of the migrations: both databases have this schema, or the target is brought to it. */
  readonly migrations: string
  /** Tables whose rows stay behind. */
  readonly without: readonly string[]
}

/** How many rows each table has, by its name. */
export type RowCounts = Readonly<Record<string, number>>

type Row = Readonly<Record<string, unknown>>

/** What a table holds, whatever the order of its rows. */
interface Content {
  readonly rows: number
  readonly digest: bigint
}

/** So that a page of the widest table stays below the 32,766 parameters that SQLite takes. */
const PAGE = 500

const PROGRESS = 'copy_progress'

/**
 * Copies every table but those `without`, and compares what arrived. May be called again after it was interrupted.
 * @throws AppError(conflict) where the schemas differ, the target holds something else, or what arrived is not what the
 * source holds
 */
export async function copyDatabase({ source, target, migrations, without }: Copying): Promise<RowCounts> {
  await mustHaveThisSchema(source, migrations)
  await migrate(target, migrations)
  const all = (await tablesOf(migrations)).filter(({ name }) => name !== PROGRESS)
  const tables = all.filter(({ name }) => !without.includes(name))
  return source.unhurried((from) =>
    target.unhurried(async (to) => {
      await beginCopy(to, all)
      const sent = await from
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute((snapshot) => eachTable(tables, (table) => sendTable(snapshot, to, table)))
      const arrived = await eachTable(tables, (table) => contentOf(pagesOf(to, table), table))
      mustBeEqual(sent, arrived)
      await to.deleteFrom(PROGRESS).execute()
      return Object.fromEntries([...arrived].map(([name, { rows }]) => [name, rows]))
    }),
  )
}

/** @throws AppError(configuration) where a copy into this database was begun and not finished */
export async function assertWholeCopy(db: Kysely<CopyTables>): Promise<void> {
  if ((await db.selectFrom(PROGRESS).select('table_name').limit(1).execute()).length === 0) return
  throw new AppError('configuration', 'A copy into this database was begun and has not been finished.', {
    hint: 'Run the same command again (latchkey restore, or latchkey database copy): it goes on where it stopped.',
  })
}

/** Deletes every row of these tables in one transaction, and tells how many there were. */
export function emptyTables(database: Database<CopyTables>, names: readonly string[]): Promise<RowCounts> {
  return database.unhurried((db) =>
    db.transaction().execute(async (transaction) => {
      const counts: Record<string, number> = {}
      for (const name of names) {
        const { numAffectedRows } = await sql`delete from ${sql.table(name)}`.execute(transaction)
        counts[name] = Number(numAffectedRows ?? 0n)
      }
      return counts
    }),
  )
}

async function mustHaveThisSchema(source: Database<CopyTables>, migrations: string): Promise<void> {
  const { pending, foreign } = await migrationStatus(source, migrations)
  if (foreign.length > 0) {
    throw new AppError('conflict', 'The database to be read was changed by a newer release.', {
      hint: 'Run this command with that release: this one does not know all that there is to copy.',
    })
  }
  if (pending.length > 0) {
    throw new AppError(
      'conflict',
      'The database to be read has the schema of an older release, or is not of Latchkey.',
      {
        hint: 'Run this command with that release, or bring it up to date: DATABASE_URL=… latchkey migrate',
      },
    )
  }
}

/** Notes that a copy has begun, unless one has. */
async function beginCopy(db: Kysely<CopyTables>, tables: readonly TableShape[]): Promise<void> {
  if ((await db.selectFrom(PROGRESS).select('rows').limit(1).execute()).length > 0) return
  for (const { name } of tables) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db)
    if (rows.length === 0) continue
    throw new AppError('conflict', `The database to be filled is not empty: there are rows in ${name}.`, {
      hint: 'Name a new one. One that a server has been started on is not empty any more.',
    })
  }
  await db
    .insertInto(PROGRESS)
    .values(tables.map(({ name }) => ({ table_name: name, rows: 0 })))
    .execute()
}

async function eachTable(
  tables: readonly TableShape[],
  work: (table: TableShape) => Promise<Content>,
): Promise<ReadonlyMap<string, Content>> {
  const contents = new Map<string, Content>()
  for (const table of tables) contents.set(table.name, await work(table))
  return contents
}

/** Writes what the target does not have yet; what it has is read once more, for the digest. */
async function sendTable(source: Kysely<CopyTables>, target: Kysely<CopyTables>, table: TableShape): Promise<Content> {
  const { rows: done } = await target
    .selectFrom(PROGRESS)
    .select('rows')
    .where('table_name', '=', table.name)
    .executeTakeFirstOrThrow()
  return contentOf(sending(), table)

  async function* sending(): AsyncIterable<readonly Row[]> {
    let seen = 0
    for await (const page of pagesOf(source, table)) {
      const missing = page.slice(Math.max(0, done - seen))
      seen += page.length
      if (missing.length > 0) await writePage(target, table, missing, seen)
      yield page
    }
  }
}

function writePage(db: Kysely<CopyTables>, table: TableShape, page: readonly Row[], rows: number): Promise<void> {
  return db.transaction().execute(async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable(PROGRESS)
      .set({ rows })
      .where('table_name', '=', table.name)
      .where('rows', '=', rows - page.length)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n)
      throw new AppError('conflict', 'Another copy into the same database is under way.', { hint: 'Let it finish.' })
    const values = page.map((row) => inParentheses(table.columns.map((column) => sql.val(row[column]))))
    await sql`insert into ${sql.table(table.name)} ${inParentheses(table.columns.map(quoted))}
      values ${sql.join(values)}`.execute(transaction)
  })
}

async function* pagesOf(
  db: Kysely<CopyTables>,
  { name, columns, primaryKey }: TableShape,
): AsyncIterable<readonly Row[]> {
  const key = primaryKey.map(quoted)
  let last: Row | undefined
  for (;;) {
    const before: Row | undefined = last
    const after = before
      ? sql`where ${inParentheses(key)} > ${inParentheses(primaryKey.map((column) => sql.val(before[column])))}`
      : sql``
    const { rows } = await sql<Row>`select ${sql.join(columns.map(quoted))} from ${sql.table(name)} ${after}
      order by ${sql.join(key)} limit ${sql.lit(PAGE)}`.execute(db)
    last = rows.at(-1)
    if (last) yield rows
    if (rows.length < PAGE) return
  }
}

/** The digests of the rows, each over its values in the order of the columns, added up bit by bit (exclusive or). */
async function contentOf(pages: AsyncIterable<readonly Row[]>, { columns }: TableShape): Promise<Content> {
  let rows = 0
  let digest = 0n
  for await (const page of pages) {
    rows += page.length
    for (const row of page) {
      const values = JSON.stringify(columns.map((column) => row[column]))
      digest ^= BigInt(`0x${createHash('sha256').update(values).digest('hex')}`)
    }
  }
  return { rows, digest }
}

function mustBeEqual(sent: ReadonlyMap<string, Content>, arrived: ReadonlyMap<string, Content>): void {
  const differing = [...sent].filter(([name, { rows, digest }]) => {
    const there = arrived.get(name)
    return there?.rows !== rows || there.digest !== digest
  })
  if (differing.length === 0) return
  throw new AppError('conflict', `What arrived is not what was sent: ${differing.map(([name]) => name).join(', ')}.`, {
    hint: 'The source was written to between two runs. Stop its servers, and copy into a new database.',
  })
}

function quoted(column: string): RawBuilder<unknown> {
  return sql.ref(column)
}

function inParentheses(parts: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql`(${sql.join(parts)})`
}
