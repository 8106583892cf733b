import { sql } from 'kysely'
import { migrate } from './migrate.ts'
import { openDatabase } from './open.ts'

export interface TableShape {
  readonly name: string
  readonly columns: readonly string[]
  readonly primaryKey: readonly string[]
}

/**
 * The tables that the migrations make, in the order in which they make them: what is referred to stands before what
 * refers to it. Read from a database in memory, so that nobody has to list them and both kinds are described alike.
 */
export async function tablesOf(migrations: string): Promise<readonly TableShape[]> {
  const scratch = openDatabase<unknown>('sqlite::memory:', () => {})
  try {
    await migrate(scratch, migrations)
    const { rows } = await sql<{ table: string; column: string; pk: number }>`
      select m.name as "table", c.name as "column", c.pk
      from sqlite_master as m, pragma_table_info(m.name) as c
      where m.type = 'table' and m.name not like 'kysely%'
      order by m.rowid, c.cid`.execute(scratch.db)
    return [...Map.groupBy(rows, ({ table }) => table)].map(([name, columns]) => ({
      name,
      columns: columns.map(({ column }) => column),
      primaryKey: columns
        .filter(({ pk }) => pk > 0)
        .toSorted((one, other) => one.pk - other.pk)
        .map(({ column }) => column),
    }))
  } finally {
    await scratch.close()
  }
}
