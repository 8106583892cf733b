import type { Kysely } from 'kysely'

/** What the jobs look for every few minutes, so that they need not read all clients and all sessions for it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('session_clients_created').on('session_clients').column('created_at').execute()
  await db.schema
    .createIndex('clients_previous_secret')
    .on('clients')
    .column('previous_secret_expires_at')
    .where('previous_secret_expires_at', 'is not', null)
    .execute()
}
