// A database with one small table, for what is promised of databases whatever is in them.
import { sql } from 'kysely'
import { openDatabase, type Database } from '#platform/database/open.ts'
import type { DatabaseKind } from './databases.ts'

interface Tables {
  note: { id: number; text: string | null }
}

export interface Notes {
  readonly url: string
  readonly database: Database<Tables>
  add(id: number, db?: Database<Tables>['db'], text?: string): Promise<unknown>
  /** What the database shows, in order. */
  ids(): Promise<number[]>
  close(): Promise<void>
}

export async function openNotes({ create }: DatabaseKind): Promise<Notes> {
  const testDatabase = await create()
  const database = openDatabase<Tables>(testDatabase.url, () => {})
  await sql`create table note (id bigint primary key, text text)`.execute(database.db)
  return {
    url: testDatabase.url,
    database,
    add: (id, db = database.db, text) =>
      db
        .insertInto('note')
        .values({ id, text: text ?? null })
        .execute(),
    ids: async () => (await database.db.selectFrom('note').select('id').orderBy('id').execute()).map(({ id }) => id),
    async close() {
      await database.close()
      await testDatabase.drop()
    },
  }
}
