// The adapters of the protocol library on a database of their own, under a clock that the test turns.
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { createClients, type Clients } from '#core/clients/clients.ts'
import { artifactStore, type Artifact, type ArtifactStore } from '#core/artifacts/store.ts'
import { createRegistrationTokens, type RegistrationTokens } from '#core/registration/registration-tokens.ts'
import { createSecrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import { adapterFactory, artifactKey } from '#oidc/adapter.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from './audit.ts'
import type { DatabaseKind } from './databases.ts'

/** How long a used refresh token may be used again, in seconds. */
export const WINDOW = 10

/** Every model of the library that is an artifact. */
export const MODELS = [
  'AccessToken',
  'AuthorizationCode',
  'BackchannelAuthenticationRequest',
  'ClientCredentials',
  'DeviceCode',
  'Grant',
  'Interaction',
  'PreAuthorizedCode',
  'PushedAuthorizationRequest',
  'RefreshToken',
  'RegistrationAccessToken',
  'ReplayDetection',
  'Session',
]
export const CONSUMABLE = [
  'AuthorizationCode',
  'BackchannelAuthenticationRequest',
  'DeviceCode',
  'PreAuthorizedCode',
  'PushedAuthorizationRequest',
  'RefreshToken',
]
export const OF_A_GRANT = ['AccessToken', ...CONSUMABLE.filter((model) => model !== 'PushedAuthorizationRequest')]

export type AdapterOf = (model: string) => Adapter

export interface Adapters {
  readonly adapterOf: AdapterOf
  /** The adapters of one more process: its own connections, perhaps with a clock that is behind. */
  process(behindSeconds?: number): AdapterOf
  readonly clock: { seconds: number }
  readonly database: Database<Tables>
  readonly store: ArtifactStore
  readonly clients: Clients
  readonly registrationTokens: RegistrationTokens
  /** The whole table. */
  rows(): Promise<Artifact[]>
  rowOf(model: string, id: string): Promise<Artifact>
  close(): Promise<void>
}

export async function openAdapters({ create }: DatabaseKind): Promise<Adapters> {
  const testDatabase = await create()
  const database = openDatabase<Tables>(testDatabase.url, () => {})
  const open = [database]
  await migrate(database, path.resolve(import.meta.dirname, '../../migrations'))
  const clock = { seconds: 1_800_000_000 }
  const secrets = createSecrets([randomBytes(32)])
  const clients = createClients({
    audit: auditOn(database),
    database,
    secrets,
    clock: { now: () => clock.seconds },
    metadataValidator: async () => async () => {},
    enableSigningKeys: async () => {},
  })

  const registrationTokens = createRegistrationTokens({
    audit: auditOn(database),
    database,
    clock: { now: () => clock.seconds },
  })

  const onDatabase = (own: Database<Tables>, behindSeconds: number): AdapterOf => {
    const needs = {
      artifacts: artifactStore(own.db),
      database: own,
      clients,
      registrationTokens,
      registered: { save: async () => {}, remove: async () => {} },
      secrets,
      refreshReuseSeconds: WINDOW,
      sessionAbsoluteSeconds: Infinity,
      keysAreHere: async () => {},
      detailTypes: [],
    }
    return adapterFactory({ ...needs, clock: { now: () => clock.seconds - behindSeconds } })
  }
  const rows = () => database.db.selectFrom('artifacts').selectAll().execute()

  return {
    adapterOf: onDatabase(database, 0),
    process(behindSeconds = 0) {
      const own = openDatabase<Tables>(testDatabase.url, () => {})
      open.push(own)
      return onDatabase(own, behindSeconds)
    },
    clock,
    database,
    store: artifactStore(database.db),
    clients,
    registrationTokens,
    rows,
    async rowOf(model, id) {
      const row = (await rows()).find(({ id: key }) => key === artifactKey(model, id))
      if (!row) throw new Error(`there is no ${model}`)
      return row
    },
    async close() {
      for (const each of open) await each.close()
      await testDatabase.drop()
    },
  }
}

/** What the library saves, as far as the adapter looks at it. */
export function payloadOf(model: string): AdapterPayload {
  const common = { kind: model, iat: 1_800_000_000, exp: 1_800_000_060, accountId: 'ada', clientId: 'reading-list' }
  if (model !== 'Interaction') return common
  return { ...common, params: { client_id: 'reading-list' }, prompt: { name: 'login', reasons: [], details: {} } }
}

/** Saves as the library does: a backchannel authentication request has its grant only from a second save on. */
export async function saveWithGrant(adapterOf: AdapterOf, model: string, id: string, grantId: string): Promise<void> {
  const payload = { ...payloadOf(model), jti: id }
  if (model === 'BackchannelAuthenticationRequest') await adapterOf(model).upsert(id, payload, 60)
  await adapterOf(model).upsert(id, { ...payload, grantId }, 60)
}

/** A payload under an id that nothing else has. */
export function freshArtifact(model: string): { readonly id: string; readonly payload: AdapterPayload } {
  const id = randomBytes(24).toString('base64url')
  return { id, payload: { ...payloadOf(model), jti: id } }
}
