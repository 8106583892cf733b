import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('clients')
    .addColumn('profile', 'text', (column) => column.notNull().defaultTo('none'))
    .execute()
}
