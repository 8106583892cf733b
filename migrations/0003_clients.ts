import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('clients')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('metadata', 'text', (column) => column.notNull())
    .addColumn('sealed_secret', 'text')
    .addColumn('first_party', 'integer', (column) => column.notNull())
    .addColumn('assignment', 'text', (column) => column.notNull())
    .addColumn('require_pkce', 'integer', (column) => column.notNull())
    .addColumn('id_token_claims', 'text', (column) => column.notNull())
    .addColumn('refresh_tokens', 'text', (column) => column.notNull())
    .addColumn('disabled_at', 'bigint')
    .addColumn('secret_rotated_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('client_groups')
    .addColumn('client_id', 'text', (column) => column.notNull().references('clients.id').onDelete('cascade'))
    .addColumn('group_id', 'text', (column) => column.notNull().references('groups.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('client_groups_pk', ['client_id', 'group_id'])
    .execute()
  await db.schema.createIndex('client_groups_group').on('client_groups').column('group_id').execute()
}
