/** The look inside: what the database tells of itself, of keys and of clients. */
import { clientStore } from '#core/clients/store.ts'
import type { Settings } from '#core/services.ts'
import { signingKey } from '#core/signing-keys/signing-key.ts'
import { signingKeyStore } from '#core/signing-keys/store.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { riskyClients } from './client-risks.ts'
import type { Stored } from './installation.ts'
import { doctorStore } from './store.ts'

interface Opened {
  readonly database: Database<Tables>
  readonly pendingMigrations: readonly string[]
  readonly claimReceipts: Settings['claimReceipts']
  readonly clock: Clock
}

/** Reads, and changes nothing. Tables are read only where they are as this release knows them. */
export async function lookInside({ database, pendingMigrations, claimReceipts, clock }: Opened): Promise<Stored> {
  const store = doctorStore(database)
  const readAt = clock.now()
  const stored = { database: await store.facts(), readAt, pendingMigrations }
  if (pendingMigrations.length > 0) return { ...stored, keys: [], clients: undefined }
  const clients = clientStore(database.db)
  const keys = await signingKeyStore(database.db).listLive(readAt)
  return {
    ...stored,
    keys: keys.map((key) => signingKey(key, readAt)),
    clients: await riskyClients({ clients, store, claimReceipts, now: readAt }),
  }
}
