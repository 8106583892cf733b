import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('accounts')
    .addColumn('custom_claims', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute()
  await db.schema
    .alterTable('clients')
    .addColumn('claims', 'text', (column) => column.notNull().defaultTo('[]'))
    .execute()
}
