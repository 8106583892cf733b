import type { Kysely } from 'kysely'
import type { Recorder } from './audit/audit.ts'
import { ADMINISTRATOR } from './audit/event.ts'
import { auditStore } from './audit/store.ts'
import type { Tables } from './tables.ts'

/**
 * What becomes of each table's rows when a database comes back from a backup. Since the backup was made, a code may have
 * been redeemed, a refresh token rotated, a session ended, a registration token used up: none of it may be there again.
 * So whatever lets its bearer in is ended, spent or not. A new table does not compile until its line stands here.
 */
const AT_A_RESTORE: Readonly<Record<keyof Tables, 'kept' | 'ended'>> = {
  accounts: 'kept',
  groups: 'kept',
  group_members: 'kept',
  clients: 'kept',
  client_groups: 'kept',
  registration_tokens: 'ended',
  consents: 'kept',
  apis: 'kept',
  api_clients: 'kept',
  claim_receipts: 'kept',
  audit_events: 'kept',
  audit_marks: 'kept',
  signing_keys: 'kept',
  artifacts: 'ended',
  session_clients: 'ended',
  // a logout that was owed is owed still; one that was told since is told twice
  logout_deliveries: 'kept',
  // guesses go on being counted from where they were
  attempt_counters: 'kept',
  installation_secrets: 'kept',
  leases: 'ended',
  copy_progress: 'ended',
}

export const ENDED_BY_A_RESTORE: readonly string[] = Object.entries(AT_A_RESTORE).flatMap(([name, fate]) =>
  fate === 'ended' ? [name] : [],
)

/** Puts a restore on record, of which word was left; the same restore once. */
export async function recordRestore(db: Kysely<Tables>, audit: Recorder): Promise<void> {
  const at = await auditStore(db).wordOfRestore()
  if (at === undefined) return
  await db.transaction().execute(async (transaction) => {
    if (await auditStore(transaction).takeWordOfRestore())
      await audit.record({ type: 'database.restored', by: ADMINISTRATOR, facts: { restored_at: at } }, transaction)
  })
}
