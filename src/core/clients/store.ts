/** The rows of relying parties and of the groups they are open to. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { Position } from '#core/paging.ts'
import type { ClientGroupRow, ClientRow, GroupRow, Tables } from '#core/tables.ts'
import { claimRules } from '#core/custom-claims/claim-rules.ts'
import { prepared } from '#platform/database/prepared.ts'
import { parseJsonObject } from '#platform/json-object.ts'
import {
  CLIENT_ASSIGNMENTS,
  CLIENT_ORIGINS,
  CLIENT_PROFILES,
  CLIENT_TYPES,
  ID_TOKEN_CLAIMS,
  REFRESH_TOKENS,
  type Client,
  type ClientDraft,
} from './client.ts'

/** A client as it is stored: the secret sealed, the metadata without what the type's preset adds. */
export type ClientRecord = ClientDraft &
  Pick<Client, 'id' | 'registrationTokenId' | 'disabled' | 'createdAt' | 'updatedAt'> & {
    readonly sealedSecret: string | undefined
    /** May have expired already. */
    readonly sealedPrevious?: SealedPrevious | undefined
  }

export interface SealedPrevious {
  readonly sealed: string
  readonly expiresAt: number
}

export interface ClientStore {
  /** One query, groups included: it runs in every protocol request. */
  find(id: string): Promise<ClientRecord | undefined>
  /** The oldest `limit` clients after the position. */
  list(limit: number, after: Position | undefined): Promise<ClientRecord[]>
  insert(
    id: string,
    draft: ClientDraft,
    given: Pick<ClientRecord, 'sealedSecret' | 'registrationTokenId'>,
    now: number,
  ): Promise<void>
  /** Holds the row until the transaction ends, so that two changes at once come one after the other. False: no such row. */
  hold(id: string, now: number): Promise<boolean>
  change(id: string, draft: ClientDraft): Promise<void>
  setGroups(id: string, groupIds: readonly string[]): Promise<void>
  /** Whatever secret was there before the last one is gone. */
  setSecret(
    id: string,
    sealedSecret: string | undefined,
    previous: SealedPrevious | undefined,
    now: number,
  ): Promise<void>
  /** Forgets the previous secrets that have expired, and tells how many. */
  forgetExpiredSecrets(now: number): Promise<number>
  /** Keeps the time at which it was disabled first. */
  disable(id: string, now: number): Promise<void>
  enable(id: string): Promise<void>
  remove(id: string): Promise<void>
  /**
   * Ids of clients that registered themselves before the time, and that nobody has ever signed in to: whoever does
   * is asked for consent. Services, which nobody signs in to, are left alone.
   */
  listUnused(before: number, limit: number): Promise<string[]>
}

/** Named one by one, which is what an index is looked up by. */
const OF_THEMSELVES = CLIENT_ORIGINS.filter((origin) => origin !== 'administrator')

export function clientStore(db: Kysely<Tables>): ClientStore {
  const withGroups = (clients: ReturnType<typeof allClients>) =>
    db
      .selectFrom(clients.as('clients'))
      .leftJoin('client_groups', 'client_groups.client_id', 'clients.id')
      .leftJoin('groups', 'groups.id', 'client_groups.group_id')
      .selectAll('clients')
      .select('groups.name as group_name')
  const allClients = () => db.selectFrom('clients').selectAll()
  const findById = prepared(db, ({ id }: { id: string }) => withGroups(allClients().where('id', '=', id)))

  return {
    async find(id) {
      const { rows } = await findById({ id })
      return recordsOf(rows)[0]
    },

    async list(limit, after) {
      const page = allClients()
        .$if(after !== undefined, (query) =>
          query.where((where) =>
            where.or([
              where('created_at', '>', after?.createdAt ?? 0),
              where.and([where('created_at', '=', after?.createdAt ?? 0), where('id', '>', after?.id ?? '')]),
            ]),
          ),
        )
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit)
      return recordsOf(await withGroups(page).orderBy('clients.created_at').orderBy('clients.id').execute())
    },

    async insert(id, draft, { sealedSecret, registrationTokenId }, now) {
      const row = {
        id,
        sealed_secret: sealedSecret ?? null,
        registration_token_id: registrationTokenId ?? null,
        sealed_previous_secret: null,
        previous_secret_expires_at: null,
        disabled_at: null,
        secret_rotated_at: null,
        created_at: now,
        updated_at: now,
      }
      await db
        .insertInto('clients')
        .values({ ...row, ...columnsOf(draft) })
        .execute()
    },

    async hold(id, now) {
      const { numUpdatedRows } = await db
        .updateTable('clients')
        .set({ updated_at: now })
        .where('id', '=', id)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async change(id, draft) {
      await db.updateTable('clients').set(columnsOf(draft)).where('id', '=', id).execute()
    },

    async setGroups(id, groupIds) {
      await db.deleteFrom('client_groups').where('client_id', '=', id).execute()
      const rows: ClientGroupRow[] = groupIds.map((groupId) => ({ client_id: id, group_id: groupId }))
      if (rows.length > 0) await db.insertInto('client_groups').values(rows).execute()
    },

    async setSecret(id, sealedSecret, previous, now) {
      await db
        .updateTable('clients')
        .set({
          sealed_secret: sealedSecret ?? null,
          sealed_previous_secret: previous?.sealed ?? null,
          previous_secret_expires_at: previous?.expiresAt ?? null,
          secret_rotated_at: now,
        })
        .where('id', '=', id)
        .execute()
    },

    async forgetExpiredSecrets(now) {
      const { numUpdatedRows } = await db
        .updateTable('clients')
        .set({ sealed_previous_secret: null, previous_secret_expires_at: null })
        .where('previous_secret_expires_at', '<=', now)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },

    async disable(id, now) {
      await db
        .updateTable('clients')
        .set((set) => ({ disabled_at: set.fn.coalesce('disabled_at', set.val(now)) }))
        .where('id', '=', id)
        .execute()
    },

    async enable(id) {
      await db.updateTable('clients').set({ disabled_at: null }).where('id', '=', id).execute()
    },

    async remove(id) {
      await db.deleteFrom('clients').where('id', '=', id).execute()
    },

    async listUnused(before, limit) {
      const rows = await db
        .selectFrom('clients')
        .select('id')
        .where('origin', 'in', OF_THEMSELVES)
        .where('created_at', '<=', before)
        .where('type', '!=', 'service')
        .where((where) =>
          where.not(
            where.exists(
              where.selectFrom('consents').select('client_id').whereRef('consents.client_id', '=', 'clients.id'),
            ),
          ),
        )
        .limit(limit)
        .execute()
      return rows.map(({ id }) => id)
    },
  }
}

const storedRow = z.object({
  type: z.enum(CLIENT_TYPES),
  assignment: z.enum(CLIENT_ASSIGNMENTS),
  origin: z.enum(CLIENT_ORIGINS),
  id_token_claims: z.enum(ID_TOKEN_CLAIMS),
  refresh_tokens: z.enum(REFRESH_TOKENS),
  profile: z.enum(CLIENT_PROFILES),
})
/** What most rows have: read in every protocol request. */
const NO_CLAIMS = '[]'

/** Rows of one client stand together, one for each of its groups. */
function recordsOf(rows: readonly (Selectable<ClientRow> & { group_name: GroupRow['name'] | null })[]): ClientRecord[] {
  return [...Map.groupBy(rows, (row) => row.id).values()].flatMap((ofOne) => {
    const [row] = ofOne
    if (!row) return []
    const { type, assignment, origin, profile, ...words } = storedRow.parse(row)
    return {
      id: row.id,
      name: row.name,
      type,
      registered: parseJsonObject(row.metadata),
      sealedSecret: row.sealed_secret ?? undefined,
      sealedPrevious:
        row.sealed_previous_secret === null || row.previous_secret_expires_at === null
          ? undefined
          : { sealed: row.sealed_previous_secret, expiresAt: row.previous_secret_expires_at },
      firstParty: row.first_party === 1,
      assignment,
      groups: ofOne.flatMap(({ group_name: name }) => name ?? []).toSorted(),
      requirePkce: row.require_pkce === 1,
      idTokenClaims: words.id_token_claims,
      refreshTokens: words.refresh_tokens,
      claims: row.claims === NO_CLAIMS ? [] : claimRules.parse(JSON.parse(row.claims)),
      origin,
      registrationTokenId: row.registration_token_id ?? undefined,
      profile,
      disabled: row.disabled_at !== null,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }
  })
}

function columnsOf(draft: ClientDraft) {
  return {
    name: draft.name,
    type: draft.type,
    metadata: JSON.stringify(draft.registered),
    first_party: draft.firstParty ? 1 : 0,
    assignment: draft.assignment,
    require_pkce: draft.requirePkce ? 1 : 0,
    id_token_claims: draft.idTokenClaims,
    refresh_tokens: draft.refreshTokens,
    claims: JSON.stringify(draft.claims),
    origin: draft.origin,
    profile: draft.profile,
  }
}
