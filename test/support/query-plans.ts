// What a database means to do with a statement, and where that would be reading a whole table.
import { CompiledQuery } from 'kysely'
import pg from 'pg'
import { vi } from 'vitest'
import { z } from 'zod'
import type { Services } from '#core/services.ts'
import { SqliteHandle } from '#platform/database/dialects/sqlite-handle.ts'

export interface Recording {
  /** Every statement since, each once, with the parameters of its first run. */
  readonly statements: ReadonlyMap<string, readonly unknown[]>
  /** All of them, in their order. */
  readonly sent: readonly string[]
  end(): void
}

/** Writes down what is sent to a database from now on; everything is still sent. */
export function recordStatements(): Recording {
  const statements = new Map<string, readonly unknown[]>()
  const sent: string[] = []
  const note = ({ sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>): void => {
    sent.push(sql)
    if (!statements.has(sql)) statements.set(sql, parameters)
  }
  const toPostgres = pg.Query.prototype.submit
  const submit = vi.spyOn(pg.Query.prototype, 'submit').mockImplementation(function (this: pg.Query, connection) {
    // boundary: members that the driver's types leave out
    const { text, values = [] } = this as unknown as { readonly text: string; readonly values?: readonly unknown[] }
    note({ sql: text, parameters: values })
    toPostgres.call(this, connection)
  })
  const toSqlite = SqliteHandle.prototype.execute
  const handle = vi.spyOn(SqliteHandle.prototype, 'execute').mockImplementation(function (this: SqliteHandle, query) {
    note(query)
    return toSqlite.call(this, query)
  })
  return {
    statements,
    sent,
    end() {
      submit.mockRestore()
      handle.mockRestore()
    },
  }
}

type Statement = readonly [string, readonly unknown[]]

/** The tables that the statement would read from end to end, whatever their size. */
export function tablesScanned(
  { database: { db, kind } }: Pick<Services, 'database'>,
  statement: Statement,
): Promise<string[]> {
  return kind.name === 'sqlite' ? scannedBySqlite(db, statement) : scannedByPostgres(db, statement)
}

type Db = Services['database']['db']

const sqlitePlan = z.array(z.object({ detail: z.string() }))

/** https://www.sqlite.org/eqp.html: rows of constants are in capitals; an index that is scanned is read whole, too. */
async function scannedBySqlite(db: Db, [statement, parameters]: Statement): Promise<string[]> {
  const { rows } = await db.executeQuery(CompiledQuery.raw(`explain query plan ${statement}`, [...parameters]))
  return sqlitePlan.parse(rows).flatMap(({ detail }) => /^SCAN ([a-z]\w*)/.exec(detail)?.[1] ?? [])
}

const postgresPlan = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: z.unknown() })]) })])
const planNode = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Index Name': z.string().optional(),
  'Index Cond': z.string().optional(),
  Filter: z.string().optional(),
  Plans: z.array(z.unknown()).default([]),
})

/** Tables as small as a test's are best read whole: forbidden to, PostgreSQL shows whether there is another way. */
async function scannedByPostgres(db: Db, [statement, parameters]: Statement): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    for (const way of ['seqscan', 'hashjoin', 'mergejoin', 'material'])
      await transaction.executeQuery(CompiledQuery.raw(`set local enable_${way} = off`))
    const explained = await transaction.executeQuery(
      CompiledQuery.raw(`explain (format json) ${statement}`, [...parameters]),
    )
    return scansIn(postgresPlan.parse(explained.rows)[0]['QUERY PLAN'][0].Plan)
  })
}

/** An index without a condition is read from end to end, unless its first rows are enough. */
function scansIn(plan: unknown, isLimited = false): string[] {
  const node = planNode.parse(plan)
  const firstRowsDo = isLimited && node.Filter === undefined
  const isWhole =
    node['Node Type'] === 'Seq Scan' ||
    (/Index/.test(node['Node Type']) && node['Index Cond'] === undefined && !firstRowsDo)
  const read = node['Relation Name'] ?? node['Index Name'] ?? node['Node Type']
  return [...(isWhole ? [read] : []), ...node.Plans.flatMap((below) => scansIn(below, node['Node Type'] === 'Limit'))]
}
