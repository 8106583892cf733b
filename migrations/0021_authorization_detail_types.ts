import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('apis')
    .addColumn('detail_types', 'text', (column) => column.notNull().defaultTo('[]'))
    .execute()
}
