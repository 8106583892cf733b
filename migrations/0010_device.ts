import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['polled_at', 'poll_interval_seconds'])
    await db.schema.alterTable('artifacts').addColumn(column, 'bigint').execute()

  await db.schema
    .createTable('attempt_counters')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('attempt_counters_expires_at').on('attempt_counters').column('expires_at').execute()
}
