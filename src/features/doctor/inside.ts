/** The look inside: what the database tells of itself, of keys and of clients. */
import { clientStore } from '#core/clients/store.ts'
import type { Settings } from '#core/services.ts'
import { signingKey } from '#core/signing-keys/signing-key.ts'
import { signingKeyStore } from '#core/signing-keys/store.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import { assertRunnable, migrationStatus } from '#platform/database/migrate.ts'
import type { Database } from '#platform/database/open.ts'
import { reachable } from '#platform/database/readiness.ts'
import { clientRisks } from './client-risks.ts'
import { seenBy } from './finding.ts'
import type { Stored } from './installation.ts'
import { doctorStore } from './store.ts'

interface Opened extends Pick<Settings, 'issuer' | 'claimReceipts' | 'audit'> {
  readonly database: Database<Tables>
  /** The folder of this release's. */
  readonly migrations: string
  readonly clock: Clock
}

/** Reads, and changes nothing. It never rejects: what could not be read says why. */
export async function lookInside({ database, migrations, clock, ...settings }: Opened): Promise<Stored> {
  const store = doctorStore(database, clock)
  const facts = await seenBy(async () => {
    await reachable(database)
    return store.facts()
  })
  if ('unseen' in facts) return unread(facts.unseen)
  const pending = await seenBy(async () => {
    const status = await migrationStatus(database, migrations)
    assertRunnable(status)
    return status.pending
  })
  if ('unseen' in pending || pending.seen.length > 0)
    return { database: facts, pending, keys: NOT_OURS, clients: NOT_OURS }
  const now = clock.now()
  const clients = clientStore(database.db)
  return {
    database: facts,
    pending,
    keys: await seenBy(async () =>
      (await signingKeyStore(database.db).listLive(now)).map((key) => signingKey(key, now)),
    ),
    clients: await seenBy(() => clientRisks({ clients, store, now, ...settings })),
  }
}

/** Nothing of the database, and why. */
export function unread(why: string): Stored {
  const unseen = { unseen: 'the database was not read' }
  return { database: { unseen: why }, pending: unseen, keys: unseen, clients: unseen }
}

const NOT_OURS = { unseen: 'the tables are not those of this release' }
