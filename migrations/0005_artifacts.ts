import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('artifacts')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('grant_id', 'text')
    .addColumn('account_id', 'text')
    .addColumn('client_id', 'text')
    .addColumn('session_uid', 'text')
    .addColumn('user_code', 'text', (column) => column.unique())
    .addColumn('expires_at', 'bigint')
    .addColumn('consumed_at', 'bigint')
    .execute()

  for (const column of ['grant_id', 'account_id', 'client_id', 'session_uid', 'expires_at']) {
    // partial: most rows have no value in most of these columns
    await db.schema
      .createIndex(`artifacts_${column}`)
      .on('artifacts')
      .column(column)
      .where(column, 'is not', null)
      .execute()
  }
}
