import type { Kysely } from 'kysely'

/** While a secret is rotated the one before it holds until its time. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('clients').addColumn('sealed_previous_secret', 'text').execute()
  await db.schema.alterTable('clients').addColumn('previous_secret_expires_at', 'bigint').execute()
}
