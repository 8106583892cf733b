import type { Kysely } from 'kysely'

/** How old the newest is of what was deleted before the mark where the chain begins: none of it may come back. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('audit_marks').addColumn('at', 'bigint').execute()
}
