/**
 * Relying parties: every rule about them, for every door. A client is read afresh in each protocol request, so that a
 * change holds at once in every process.
 */
import type { Kysely } from 'kysely'
import { artifactStore } from '#core/artifacts/store.ts'
import type { Recorder } from '#core/audit/audit.ts'
import { ADMINISTRATOR, SERVER, type Actor, type AuditType, type Facts } from '#core/audit/event.ts'
import { requiredGroupIds } from '#core/groups/required-groups.ts'
import { groupStore } from '#core/groups/store.ts'
import { cursorAt, pageOf, positionIn, type Page } from '#core/paging.ts'
import type { Secrets } from '#core/secrets.ts'
import type { SigningAlgorithm } from '#core/signing-keys/algorithms.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import type { Client, ClientDraft, ClientOrigin } from './client.ts'
import { keepsSecret, methodOf, mustHaveKeptSecret } from './client-authentication.ts'
import { changedMembers, toProviderMetadata } from './client-json.ts'
import { isClientId, newClientId } from './client-id.ts'
import { parseChange, parseRegistration, parseReplacement } from './client-input.ts'
import { clientSecrets, newClientSecret, parseRotation } from './client-secret.ts'
import { isConfidential, wholeMetadata } from './presets.ts'
import { mustBeLongEnough, signingAlgorithmsOf } from './signing-algorithms.ts'
import { clientStore, type ClientRecord, type ClientStore } from './store.ts'

export interface Clients {
  /** Registers a client from what a door was given; the secret is told here and never again. @throws AppError(invalid_input) */
  register(
    input: unknown,
    itself?: SelfRegistration,
  ): Promise<{ readonly client: Client; readonly secret: string | undefined }>
  /** Disabled clients are found too: who asks decides. */
  find(id: string): Promise<Client | undefined>
  /** @throws AppError(not_found) */
  get(id: string): Promise<Client>
  /** Oldest first. @throws AppError(invalid_input) for a foreign cursor */
  list(page: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page<Client>>
  /** Changes what is given and leaves the rest. @throws AppError(invalid_input, not_found) */
  update(id: string, input: unknown): Promise<Client>
  /**
   * What software that registered itself says about itself anew; what an administrator decided about it stays.
   * @throws AppError(invalid_input, not_found), and AppError(forbidden) for a client of an administrator
   */
  replace(id: string, input: unknown, by: Actor, together?: Together): Promise<Client>
  /**
   * A new secret. The old one still authenticates for `overlap_seconds` (none by default), and the one before that is
   * worth nothing from now on. @throws AppError(invalid_input) for clients that have no secret
   */
  rotateSecret(id: string, rotation?: unknown): Promise<{ readonly client: Client; readonly secret: string }>
  /** Forgets the secrets whose overlap is over, and tells how many; they were worth nothing already. */
  forgetExpiredSecrets(): Promise<number>
  /** Nobody signs in to it any more, and all its grants, codes and tokens end. @throws AppError(not_found) */
  disable(id: string): Promise<Client>
  /** @throws AppError(not_found) */
  enable(id: string): Promise<Client>
  /** It is gone, with its grants, codes, tokens and remembered consents. @throws AppError(not_found) */
  remove(id: string, by?: Actor): Promise<void>
  /** Removes at most `limit` clients that registered themselves so long ago and were never used, and tells how many. */
  removeUnused(olderThanSeconds: number, limit: number): Promise<number>
}

/** What happens in the same transaction, or not at all. */
export type Together = (trx: Kysely<Tables>) => Promise<void>

/** Software that registers itself: who it is from now on, and what lets it. */
export interface SelfRegistration {
  readonly id: string
  /** Taken where the client authenticates with a secret. */
  readonly secret: string | undefined
  readonly tokenId: string | undefined
  readonly origin: Exclude<ClientOrigin, 'administrator'>
  /** For the record. */
  readonly by: Actor
  readonly together?: Together
}

export interface ClientsNeeds {
  readonly database: Database<Tables>
  readonly secrets: Secrets
  readonly clock: Clock
  readonly audit: Recorder
  /**
   * Prepares the protocol library's own verdict on metadata; called before a transaction begins, with what is meant, so
   * that what it says of documents elsewhere is looked up then. @throws AppError(invalid_input)
   */
  readonly metadataValidator: (meant: Record<string, unknown>) => Promise<ValidateMetadata>
  /** Makes the keys that are missing, and resolves once every server signs with them; called before the validator. */
  readonly enableSigningKeys: (algorithms: readonly SigningAlgorithm[]) => Promise<void>
}

const NO_SECRET = { sealedSecret: undefined, sealedPrevious: undefined }

/** Judges the metadata of a client. It runs inside a transaction: no queries, and no calls out. @throws AppError(invalid_input) */
export type ValidateMetadata = (metadata: Record<string, unknown>) => Promise<void>

export function createClients({
  database: { db },
  secrets,
  clock,
  audit,
  metadataValidator,
  enableSigningKeys,
}: ClientsNeeds): Clients {
  const reading = clientStore(db)
  const sealing = clientSecrets(secrets, clock)
  const clientOf = ({ sealedSecret, sealedPrevious, registered, ...rest }: ClientRecord): Client => ({
    ...rest,
    metadata: wholeMetadata({ ...rest, registered }),
    secret: sealing.open(rest.id, sealedSecret),
    previousSecret: sealing.openPrevious(rest.id, sealedPrevious),
  })

  const find: Clients['find'] = async (id) => {
    const record = isClientId(id) ? await reading.find(id) : undefined
    return record && clientOf(record)
  }

  const get: Clients['get'] = async (id) => {
    const client = await find(id)
    if (!client) throw unknownClient()
    return client
  }

  const record = (trx: Kysely<Tables>, type: AuditType, clientId: string, by = ADMINISTRATOR, facts?: Facts) =>
    audit.record({ type, by, clientId, facts }, trx)

  /** Runs on the row, held until the transaction ends, and gives what it has become. */
  const changing = async (
    id: string,
    change: (store: ClientStore, record: ClientRecord, trx: Kysely<Tables>) => Promise<unknown>,
  ) => {
    if (!isClientId(id)) throw unknownClient()
    return db.transaction().execute(async (trx) => {
      const store = clientStore(trx)
      const before = (await store.hold(id, clock.now())) ? await store.find(id) : undefined
      if (!before) throw unknownClient()
      await change(store, before, trx)
      const after = await store.find(id)
      return after && clientOf(after)
    })
  }

  const changed = async (...args: Parameters<typeof changing>): Promise<Client> => {
    const client = await changing(...args)
    if (!client) throw unknownClient()
    return client
  }

  const redrafted = async (
    id: string,
    by: Actor,
    redraft: (before: ClientRecord) => ClientDraft,
    together?: Together,
  ) => {
    const known = isClientId(id) ? await reading.find(id) : undefined
    if (!known) throw unknownClient()
    const meant = clientOf({ ...known, ...redraft(known) })
    await enableSigningKeys(signingAlgorithmsOf(meant.metadata))
    const validate = await metadataValidator(toProviderMetadata(meant))
    return changed(id, async (store, before, trx) => {
      const draft = redraft(before)
      await together?.(trx)
      const groupIds = await requiredGroupIds(groupStore(trx), draft.groups)
      mustHaveKeptSecret(draft, before.sealedSecret)
      const { sealedSecret, sealedPrevious } = keepsSecret(draft) ? before : NO_SECRET
      const client = clientOf({ ...before, ...draft, sealedSecret, sealedPrevious })
      mustBeLongEnough(client.metadata, client.secret)
      await validate(toProviderMetadata(client))
      await store.change(id, draft)
      // what was given out under other rules would outlive them
      if (draft.profile !== before.profile) await artifactStore(trx).removeByClient(id)
      if (sealedSecret !== before.sealedSecret) await store.setSecret(id, undefined, undefined, clock.now())
      await store.setGroups(id, groupIds)
      await record(trx, 'client.updated', id, by, { members: changedMembers(clientOf(before), client) })
    })
  }

  const remove: Clients['remove'] = async (id, by) => {
    await changing(id, async (store, _, trx) => {
      await artifactStore(trx).removeByClient(id)
      await store.remove(id)
      await record(trx, 'client.deleted', id, by)
    })
  }

  return {
    find,
    get,
    remove,

    async register(input, itself) {
      const draft = parseRegistration(input, itself?.origin)
      const id = itself?.id ?? newClientId()
      const secret = keepsSecret(draft) ? (itself?.secret ?? newClientSecret()) : undefined
      const given = {
        sealedSecret: secret === undefined ? undefined : sealing.seal(id, secret),
        registrationTokenId: itself?.tokenId,
      }
      const now = clock.now()
      const client = clientOf({ ...draft, ...given, id, disabled: false, createdAt: now, updatedAt: now })
      await enableSigningKeys(signingAlgorithmsOf(client.metadata))
      const metadata = toProviderMetadata(client)
      const validate = await metadataValidator(metadata)
      await validate(metadata)
      await db.transaction().execute(async (trx) => {
        const store = clientStore(trx)
        await itself?.together?.(trx)
        const groupIds = await requiredGroupIds(groupStore(trx), draft.groups)
        await store.insert(id, draft, given, now)
        await store.setGroups(id, groupIds)
        await record(trx, 'client.created', id, itself?.by, {
          name: draft.name,
          type: draft.type,
          origin: draft.origin,
        })
      })
      return { client, secret }
    },

    async list({ limit, cursor }) {
      const records = await reading.list(limit + 1, cursor === undefined ? undefined : positionIn(cursor))
      const { items, next } = pageOf(records, limit, cursorAt)
      return { items: items.map(clientOf), next }
    },

    update: (id, input) => redrafted(id, ADMINISTRATOR, (before) => parseChange(before, input)),

    replace: (id, input, by, together) =>
      redrafted(
        id,
        by,
        (before) => {
          if (before.origin === 'administrator') throw notItsOwn()
          return parseReplacement(before, input)
        },
        together,
      ),

    async rotateSecret(id, rotation) {
      const overlapSeconds = parseRotation(rotation)
      const secret = newClientSecret()
      const client = await changed(id, async (store, before, trx) => {
        if (!keepsSecret(before)) throw hasNoSecret(before)
        const previous = sealing.asPrevious(id, before.sealedSecret, overlapSeconds)
        await store.setSecret(id, sealing.seal(id, secret), previous, clock.now())
        await record(trx, 'client.secret_rotated', id, ADMINISTRATOR, { overlap_seconds: overlapSeconds })
      })
      return { client, secret }
    },

    forgetExpiredSecrets: () => reading.forgetExpiredSecrets(clock.now()),

    disable: (id) =>
      changed(id, async (store, _, trx) => {
        await store.disable(id, clock.now())
        await artifactStore(trx).removeByClient(id)
        await record(trx, 'client.disabled', id)
      }),

    enable: (id) =>
      changed(id, async (store, _, trx) => {
        await store.enable(id)
        await record(trx, 'client.enabled', id)
      }),

    async removeUnused(olderThanSeconds, limit) {
      const unused = await reading.listUnused(clock.now() - olderThanSeconds, limit)
      for (const id of unused) await remove(id, SERVER)
      return unused.length
    },
  }
}

function unknownClient(): AppError {
  return new AppError('not_found', 'There is no client with this id.', {
    hint: 'latchkey client list shows all of them.',
  })
}

function notItsOwn(): AppError {
  return new AppError('forbidden', 'This client is kept by an administrator, and cannot change itself.')
}

function hasNoSecret(record: ClientRecord): AppError {
  const who = isConfidential(record.type) ? `client with ${String(methodOf(record))}` : `${record.type} client`
  return new AppError('invalid_input', `A ${who} has no secret.`, {
    hint: 'Only clients of type web and service have one, unless they authenticate with keys of their own.',
  })
}
