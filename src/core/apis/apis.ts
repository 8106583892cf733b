/**
 * APIs (resource servers): every rule about them, for every door. An API is read afresh in each protocol request that
 * names it, so that a change holds at once in every process.
 */
import type { Kysely } from 'kysely'
import type { Recorder } from '#core/audit/audit.ts'
import { ADMINISTRATOR, type AuditType } from '#core/audit/event.ts'
import { isClientId } from '#core/clients/client-id.ts'
import { foundIn } from '#core/problems.ts'
import type { SigningKeys } from '#core/signing-keys/signing-keys.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import type { Api, ApiDraft } from './api.ts'
import { parseApi, parseApiChange, refusedApi } from './api-input.ts'
import { isApiIdentifier } from './identifier.ts'
import { apiStore, type ApiStore } from './store.ts'

export interface Apis {
  /** @throws AppError(invalid_input); AppError(conflict) where an API has the identifier already */
  create(input: unknown): Promise<Api>
  /** Takes anything that a stranger may send. */
  find(identifier: string): Promise<Api | undefined>
  /** @throws AppError(not_found) */
  get(identifier: string): Promise<Api>
  /** All of them, by identifier. */
  list(): Promise<readonly Api[]>
  /** The names of the authorization details that some API has, in their order. */
  detailTypes(): Promise<readonly string[]>
  /** Changes what is given and leaves the rest; the identifier stays. @throws AppError(invalid_input, not_found) */
  update(identifier: string, input: unknown): Promise<Api>
  /** Nobody gets a token for it any more, and no opaque token for it is active. @throws AppError(not_found) */
  remove(identifier: string): Promise<void>
}

export interface ApisNeeds {
  readonly database: Database<Tables>
  readonly clock: Clock
  readonly audit: Recorder
  /** Resolves once every running server signs with these; a new algorithm gets its first key. */
  readonly enableSigningKeys: SigningKeys['enable']
}

export function createApis({ database: { db, kind }, clock, audit, enableSigningKeys }: ApisNeeds): Apis {
  const reading = apiStore(db)

  const find: Apis['find'] = async (identifier) => (isApiIdentifier(identifier) ? reading.find(identifier) : undefined)

  const get: Apis['get'] = async (identifier) => {
    const api = await find(identifier)
    if (!api) throw unknownApi()
    return api
  }

  const record = (trx: Kysely<Tables>, type: AuditType, api: string): Promise<void> =>
    audit.record({ type, by: ADMINISTRATOR, facts: { api } }, trx)

  return {
    find,
    get,

    async create(input) {
      const draft = parseApi(input)
      await enableSigningKeys([draft.signingAlg])
      const now = clock.now()
      try {
        await db.transaction().execute(async (trx) => {
          const store = apiStore(trx)
          await requireClients(store, draft)
          await store.insert(draft, now)
          await record(trx, 'api.created', draft.identifier)
        })
      } catch (cause) {
        if (!kind.isUniqueViolation(cause)) throw cause
        throw identifierTaken(cause)
      }
      return { ...draft, createdAt: now, updatedAt: now }
    },

    list: () => reading.list(),

    async detailTypes() {
      const names = (await reading.list()).flatMap((api) => api.detailTypes.map(({ type }) => type))
      return [...new Set(names)].toSorted()
    },

    async update(identifier, input) {
      await enableSigningKeys([parseApiChange(await get(identifier), input).signingAlg])
      return db.transaction().execute(async (trx) => {
        const store = apiStore(trx)
        const now = clock.now()
        const before = (await store.hold(identifier, now)) ? await store.find(identifier) : undefined
        if (!before) throw unknownApi()
        const draft = parseApiChange(before, input)
        await requireClients(store, draft)
        await store.change(draft)
        await record(trx, 'api.updated', identifier)
        return { ...draft, createdAt: before.createdAt, updatedAt: now }
      })
    },

    async remove(identifier) {
      await db.transaction().execute(async (trx) => {
        if (!isApiIdentifier(identifier) || !(await apiStore(trx).remove(identifier))) throw unknownApi()
        await record(trx, 'api.deleted', identifier)
      })
    },
  }
}

/** The clients that are named have to be there, and those that ask about tokens have to prove who they are. */
async function requireClients(store: ApiStore, { clients, introspectionClients }: ApiDraft): Promise<void> {
  const named = [...new Set([...clients, ...introspectionClients])].filter((id) => isClientId(id))
  const types = await store.clientTypes(named)
  const problems = foundIn({
    clients: unknownAmong(clients, types),
    introspection_clients: unknownAmong(introspectionClients, types) ?? publicAmong(introspectionClients, types),
  })
  if (Object.keys(problems).length > 0) throw refusedApi(problems)
}

function unknownAmong(ids: readonly string[], types: ReadonlyMap<string, string>): string | undefined {
  const unknown = ids.filter((id) => !types.has(id))
  return unknown.length === 0
    ? undefined
    : `There is no client ${unknown.map((id) => JSON.stringify(id)).join(', ')}: latchkey client list shows all of them.`
}

/** RFC 7662 §2.1: whoever asks has to be authenticated, and these have no secret. */
function publicAmong(ids: readonly string[], types: ReadonlyMap<string, string>): string | undefined {
  const open = ids.filter((id) => ['spa', 'native'].includes(types.get(id) ?? ''))
  return open.length === 0 ? undefined : `${open.join(', ')} has no secret: name a client of type service or web.`
}

function unknownApi(): AppError {
  return new AppError('not_found', 'There is no API with this identifier.', {
    hint: 'latchkey api list shows all of them; the identifier counts to the last character.',
  })
}

function identifierTaken(cause: unknown): AppError {
  return new AppError('conflict', 'There is an API with this identifier already.', {
    fields: { identifier: 'This identifier is taken.' },
    hint: 'Change that API with latchkey api update, or choose another identifier.',
    cause,
  })
}
