/**
 * Where the protocol library keeps its models: one table of artifacts, and the clients of core/clients.
 *
 * Three things differ from a plain adapter. A bearer value is never stored: the row's key is a digest, and the
 * library's `jti` is taken out and put back. The models that carry bearer values of their own (a session's cookie
 * inside an interaction, a device code beside its user code, a client's notification token) are sealed whole. And using
 * up a code or a token is one conditional write: the library reads before it writes, so of several uses at once all
 * would pass its check (measured with a plain adapter on PostgreSQL: 20 of 20 parallel refreshes, 6 of 20 parallel code
 * redemptions).
 */
import { errors, Provider, type Adapter, type AdapterFactory, type AdapterPayload } from 'oidc-provider'
import type { Artifact, ArtifactStore, NewArtifact } from '#core/artifacts/store.ts'
import type { Clients } from '#core/clients/clients.ts'
import { toProviderMetadata } from '#core/clients/client-json.ts'
import { signingAlgorithmsOf } from '#core/clients/signing-algorithms.ts'
import type { RegistrationTokens } from '#core/registration/registration-tokens.ts'
import { digest, type SealedPlace, type Secrets } from '#core/secrets.ts'
import type { Clock } from '#platform/clock.ts'
import type { Units } from '#platform/database/unit.ts'
import { parseJsonObject } from '#platform/json-object.ts'
import { noteEvent, noteUsed } from './audit-notes.ts'
import { expectGrant, rowFinder } from './brought-along.ts'
import { AlreadyUsed } from './replay.ts'
import { sessionAdapter } from './session-adapter.ts'
import type { KeyCheck } from './signing.ts'

/** What the library does to clients: it stores those that registered themselves. */
export interface RegisteredClients {
  /** @throws InvalidClientMetadata, InvalidToken */
  save(id: string, secret: string | undefined): Promise<void>
  remove(id: string): Promise<void>
}

export interface AdapterNeeds {
  readonly artifacts: ArtifactStore
  readonly database: Pick<Units, 'apart' | 'together'>
  readonly clients: Pick<Clients, 'find'>
  readonly registrationTokens: Pick<RegistrationTokens, 'findLive'>
  readonly registered: RegisteredClients
  readonly secrets: Secrets
  readonly clock: Clock
  /** How long a used refresh token yields its one successor again, in seconds; 0 for never. */
  readonly refreshReuseSeconds: number
  /** How long after the sign-in a session is over, however busy it is, in seconds. */
  readonly sessionAbsoluteSeconds: number
  /** @throws AppError(unavailable) where a key that the client asks for is not loaded yet */
  readonly keysAreHere: KeyCheck
  /** Names of the authorization details that some API has. */
  readonly detailTypes: readonly string[]
}

/** Models that hang on a grant and end with it. */
export const OF_A_GRANT = [
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
]
const SEALED = new Set(['Session', 'Interaction', 'DeviceCode', 'BackchannelAuthenticationRequest'])
const SAVED_ONCE = new Set(['RefreshToken', 'ReplayDetection'])

/** Thrown where a request was answered before, or ended meanwhile: of several answers at once one is written. */
export class AlreadyAnswered extends Error {
  constructor() {
    super('the request was answered before')
    this.name = 'AlreadyAnswered'
  }
}

export function adapterFactory(needs: AdapterNeeds): AdapterFactory {
  return (model) => {
    if (model === 'Client') return clientAdapter(needs)
    return model === 'InitialAccessToken' ? registrationTokenAdapter(needs) : artifactAdapter(model, needs)
  }
}

/** The key of a model's row: a digest, so that the table tells nobody a value that would be accepted. */
export function artifactKey(model: string, id: string): string {
  return digest(`${model}\0${id}`)
}

function artifactAdapter(model: string, needs: AdapterNeeds): Adapter {
  const { artifacts, database, secrets, clock, refreshReuseSeconds } = needs
  const reuseSeconds = model === 'RefreshToken' ? refreshReuseSeconds : 0
  const keyOf = (id: string) => artifactKey(model, id)
  const findRow = rowFinder(model, { artifacts, now: clock.now, keyOf: artifactKey })

  const write = (key: string, payload: AdapterPayload): string => {
    if (SEALED.has(model)) return secrets.seal(placeOf(key), JSON.stringify(payload))
    const { jti: _, ...rest } = payload
    return JSON.stringify(rest)
  }

  const read = (row: Artifact | undefined, id?: string): AdapterPayload | undefined => {
    if (!row) return undefined
    const payload = payloadIn(row, secrets)
    if (id !== undefined) payload.jti = id
    // inside the window a used refresh token looks unused: it then yields its one successor again
    const forgiven = reuseSeconds > 0 && row.consumed_at !== null && row.consumed_at > clock.now() - reuseSeconds
    if (row.consumed_at !== null && !forgiven) {
      payload.consumed = row.consumed_at
      if (Provider.ctx) noteUsed(Provider.ctx, row.account_id ?? undefined)
    }
    return payload
  }

  const rowOf = (id: string, payload: AdapterPayload, expiresIn: number | undefined) => {
    const key = keyOf(id)
    return {
      id: key,
      model,
      payload: write(key, payload),
      ...lookedUpBy(model, payload),
      user_code: payload.userCode === undefined ? null : secrets.keyedDigest('user-code', payload.userCode),
      expires_at: expiresIn ? clock.now() + expiresIn : null,
    }
  }

  const adapter: Adapter = {
    async upsert(id, payload, expiresIn) {
      const row = rowOf(id, payload, expiresIn)
      if (model === 'BackchannelAuthenticationRequest' && isAnswered(payload)) {
        const before = await artifacts.find(row.id, clock.now())
        if (!before || isAnswered(payloadIn(before, secrets))) throw new AlreadyAnswered()
        if (!(await artifacts.replace(before, row))) throw new AlreadyAnswered()
        return
      }
      if (!SAVED_ONCE.has(model)) return artifacts.upsert(row)
      // a second save of a refresh token is the same successor made again by a parallel refresh
      if (!(await artifacts.insertOnce(row)) && model === 'ReplayDetection') throw new AlreadyUsed()
    },

    async find(id) {
      const payload = read(await findRow(id), id)
      const { grantId, sessionUid } = payload?.expiresWithSession === true ? payload : {}
      if (grantId !== undefined && sessionUid !== undefined)
        expectGrant({ sessionUid, key: artifactKey('Grant', grantId) })
      return payload
    },
    findByUid: async () => undefined, // sessions only, see session-adapter.ts
    findByUserCode: async (code) =>
      read(await artifacts.findByUserCode(secrets.keyedDigest('user-code', code), clock.now())),

    async consume(id) {
      const key = keyOf(id)
      if (await artifacts.consume(key, clock.now(), reuseSeconds)) return
      // whoever lost still has the row's lock, and who holds the family already may wait for it: that is let go first
      await database.apart(() => database.together(() => endFamily(artifacts, key, clock.now())))
      throw model === 'PushedAuthorizationRequest'
        ? new errors.InvalidRequestUri('request_uri was already used')
        : new errors.InvalidGrant(`${model} was already used`)
    },

    async destroy(id) {
      if (OF_A_GRANT.includes(model))
        await holdFamily(artifacts, (await artifacts.find(keyOf(id), clock.now()))?.grant_id)
      await artifacts.remove(keyOf(id))
    },
    async revokeByGrantId(grantId) {
      await holdFamily(artifacts, grantId)
      await artifacts.removeByGrant(grantId, [model])
    },
  }
  if (model !== 'Session') return adapter
  // the library forgives clocks some seconds, in which a session that never rests would be given another second each time
  const readLiving = (row: Artifact | undefined): AdapterPayload | undefined => {
    const payload = read(row)
    return (payload?.loginTs ?? Infinity) + needs.sessionAbsoluteSeconds > clock.now() ? payload : undefined
  }
  return sessionAdapter(adapter, { artifacts, now: clock.now, keyOf, rowOf, read: readLiving })
}

/** What a row holds; without its `jti`, but for models that are sealed. */
export function payloadIn({ id, model, payload }: Artifact, secrets: Pick<Secrets, 'open'>): AdapterPayload {
  return parseJsonObject(SEALED.has(model) ? secrets.open(placeOf(id), payload) : payload)
}

/** Did the person say yes (a grant) or no (an error)? */
function isAnswered({ grantId, error }: AdapterPayload): boolean {
  return grantId !== undefined || error !== undefined
}

function placeOf(row: string): SealedPlace {
  return { table: 'artifacts', column: 'payload', row }
}

/** What was used twice may be in the wrong hands: everything that came of it ends (RFC 6749 §4.1.2, RFC 9700 §4.14.2). */
async function endFamily(artifacts: ArtifactStore, key: string, now: number): Promise<true> {
  const { grant_id: grantId, account_id, client_id } = (await artifacts.find(key, now)) ?? {}
  if (!grantId) return true
  const about = { accountId: account_id ?? undefined, clientId: client_id ?? undefined }
  if (Provider.ctx) noteEvent(Provider.ctx, { type: 'token_family.revoked', by: 'unknown', ...about })
  // the grant first: without it whatever a parallel winner stores a moment later is dead at birth
  await artifacts.remove(artifactKey('Grant', grantId))
  await artifacts.removeByGrant(grantId, OF_A_GRANT)
  return true
}

/**
 * Whoever ends tokens of a grant holds the grant first: several at once, each with a row that another waits for, would
 * wait in a circle.
 */
async function holdFamily(artifacts: ArtifactStore, grantId: string | null | undefined): Promise<void> {
  if (grantId) await artifacts.hold(artifactKey('Grant', grantId))
}

type LookedUp = Pick<NewArtifact, 'grant_id' | 'account_id' | 'client_id' | 'session_uid'>

function lookedUpBy(model: string, payload: AdapterPayload): LookedUp {
  if (model === 'Interaction') {
    return {
      grant_id: null,
      // whoever has just proven who they are counts, so that a sign-in left half-way ends with everything else of theirs
      account_id: payload.result?.login?.accountId ?? payload.session?.accountId ?? null,
      client_id: typeof payload.params?.['client_id'] === 'string' ? payload.params['client_id'] : null,
      session_uid: null,
    }
  }
  return {
    grant_id: payload.grantId ?? null,
    account_id: payload.accountId ?? null,
    client_id: payload.clientId ?? null,
    session_uid: model === 'Session' ? (payload.uid ?? null) : null,
  }
}

/** The library would not load a client that is registered for a type which its API has no more. */
function knownTypes(
  { authorization_details_types: registered }: Readonly<Record<string, unknown>>,
  types: readonly string[],
): Record<string, unknown> {
  if (!Array.isArray(registered)) return {}
  return { authorization_details_types: types.filter((type) => registered.includes(type)) }
}

/** The library writes names into the keys that it is given, and many requests share one client. */
function ownKeys({ jwks }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return jwks === undefined ? {} : { jwks: structuredClone(jwks) }
}

/** A disabled client is one that is not there, and one with a document is made of that (client-documents.ts). */
function clientAdapter({ clients, registered, keysAreHere, detailTypes }: AdapterNeeds): Adapter {
  return {
    ...REFUSING,
    async find(id) {
      const client = await clients.find(id)
      if (!client || client.disabled || client.origin === 'metadata_document') return undefined
      await keysAreHere(signingAlgorithmsOf(client.metadata))
      return { ...toProviderMetadata(client), ...ownKeys(client.metadata), ...knownTypes(client.metadata, detailTypes) }
    },
    upsert: (id, { client_secret: secret }) => registered.save(id, typeof secret === 'string' ? secret : undefined),
    destroy: (id) => registered.remove(id),
  }
}

/** The library only looks for them: they are made on the command line, and spent where the client is stored. */
function registrationTokenAdapter({ registrationTokens }: AdapterNeeds): Adapter {
  return {
    ...REFUSING,
    async find(value) {
      const token = await registrationTokens.findLive(value)
      return token && { jti: value, kind: 'InitialAccessToken', iat: token.createdAt, exp: token.expiresAt }
    },
  }
}

const refuse = async (): Promise<never> => {
  throw new Error('the protocol library does not do this to clients and registration tokens')
}
const REFUSING: Adapter = {
  find: refuse,
  upsert: refuse,
  destroy: refuse,
  consume: refuse,
  findByUid: refuse,
  findByUserCode: refuse,
  revokeByGrantId: refuse,
}
