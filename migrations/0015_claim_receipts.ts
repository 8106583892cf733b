import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('claim_receipts')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    // no reference: what a client was given stays known after the client is gone
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('place', 'text', (column) => column.notNull())
    .addColumn('claims', 'text', (column) => column.notNull())
    .execute()
  for (const column of ['account_id', 'client_id']) {
    await db.schema.createIndex(`claim_receipts_${column}`).on('claim_receipts').columns([column, 'id']).execute()
  }
}
