import type { Kysely } from 'kysely'

/** A key leaves the JWKS before it is forgotten. Rows without the time are published until they are gone, as before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('signing_keys').addColumn('unpublished_at', 'bigint').execute()
}
