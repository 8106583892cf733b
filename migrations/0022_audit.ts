import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_events')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    // no references: what happened to people and clients stays known after they are gone
    .addColumn('account_id', 'text')
    .addColumn('client_id', 'text')
    .addColumn('address', 'text')
    .addColumn('request_id', 'text')
    .addColumn('rule', 'text')
    .addColumn('facts', 'text', (column) => column.notNull())
    .addColumn('proof', 'text', (column) => column.notNull())
    .addColumn('sequence', 'bigint')
    .addColumn('hash', 'text')
    .execute()
  for (const column of ['account_id', 'client_id', 'type']) {
    await db.schema.createIndex(`audit_events_${column}`).on('audit_events').columns([column, 'id']).execute()
  }
  await db.schema.createIndex('audit_events_request_id').on('audit_events').column('request_id').execute()
  await db.schema.createIndex('audit_events_sequence').on('audit_events').column('sequence').unique().execute()
  await db.schema
    .createIndex('audit_events_unsealed')
    .on('audit_events')
    .columns(['id', 'sequence'])
    .where('sequence', 'is', null)
    .execute()
  await db.schema
    .createTable('audit_marks')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('proof', 'text', (column) => column.notNull())
    .execute()
}
