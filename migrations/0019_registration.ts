import type { Kysely } from 'kysely'

/** Clients that registered themselves, and the tokens that let them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('registration_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('digest', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('bounds', 'text', (column) => column.notNull())
    .addColumn('uses_left', 'integer', (column) => column.notNull())
    .addColumn('uses', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .alterTable('clients')
    .addColumn('origin', 'text', (column) => column.notNull().defaultTo('administrator'))
    .execute()
  // no reference: tokens are revoked, never deleted
  await db.schema.alterTable('clients').addColumn('registration_token_id', 'text').execute()
  await db.schema.createIndex('clients_origin').on('clients').columns(['origin', 'created_at']).execute()
}
