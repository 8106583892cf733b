import type { Kysely } from 'kysely'

/** Rows stand here only while the database is being filled from another one; nothing may serve it until then. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('copy_progress')
    .addColumn('table_name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('rows', 'bigint', (column) => column.notNull())
    .execute()
}
