import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('session_clients')
    .addColumn('session_uid', 'text', (column) => column.notNull())
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('sid', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('session_clients_pk', ['session_uid', 'client_id', 'sid'])
    .execute()
  await db.schema.createIndex('session_clients_account').on('session_clients').column('account_id').execute()

  await db.schema
    .createTable('logout_deliveries')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('session_uid', 'text', (column) => column.notNull())
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('sid', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', 'bigint')
    .addColumn('last_status', 'integer')
    .addColumn('last_error', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('delivered_at', 'bigint')
    .addColumn('given_up_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('logout_deliveries_due')
    .on('logout_deliveries')
    .column('next_attempt_at')
    .where('next_attempt_at', 'is not', null)
    .execute()
  await db.schema.createIndex('logout_deliveries_created').on('logout_deliveries').column('created_at').execute()
}
