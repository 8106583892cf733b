// A database that has no room for one kind of row, so that what stores several fails in between.
import { sql, type Kysely } from 'kysely'
import type { Tables } from '#core/tables.ts'
import type { DatabaseKind } from './databases.ts'

export interface RefusedRows {
  /** From now on the table takes no new row with this value. */
  refuse(table: string, column: string, value: string): Promise<void>
  takeAgain(): Promise<void>
}

export function refusedRows(kind: Pick<DatabaseKind, 'name'>, db: () => Kysely<Tables>): RefusedRows {
  return {
    async refuse(table, column, value) {
      const wanted = sql`new.${sql.ref(column)} = ${sql.lit(value)}`
      if (kind.name === 'sqlite') {
        await sql`create trigger refusing before insert on ${sql.table(table)} when ${wanted}
          begin select raise(abort, 'no more of these'); end`.execute(db())
        return
      }
      await sql`create function refuse() returns trigger language plpgsql as
        'begin raise exception ''no more of these''; end'`.execute(db())
      await sql`create trigger refusing before insert on ${sql.table(table)} for each row when (${wanted})
        execute function refuse()`.execute(db())
    },

    async takeAgain() {
      if (kind.name === 'sqlite') await sql`drop trigger if exists refusing`.execute(db())
      else await sql`drop function if exists refuse() cascade`.execute(db())
    },
  }
}
