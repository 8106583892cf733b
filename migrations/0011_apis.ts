import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('apis')
    .addColumn('identifier', 'text', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('format', 'text', (column) => column.notNull())
    .addColumn('access_token_seconds', 'integer')
    .addColumn('signing_alg', 'text', (column) => column.notNull())
    .addColumn('assignment', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('api_clients')
    .addColumn('api', 'text', (column) => column.notNull().references('apis.identifier').onDelete('cascade'))
    .addColumn('client_id', 'text', (column) => column.notNull().references('clients.id').onDelete('cascade'))
    .addColumn('may', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('api_clients_pk', ['api', 'client_id', 'may'])
    .execute()
  await db.schema.createIndex('api_clients_client').on('api_clients').column('client_id').execute()

  await db.schema
    .alterTable('consents')
    .addColumn('resources', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute()
}
