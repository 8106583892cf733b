/** The rows of APIs and of the clients that may call them or ask about their tokens. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { ApiClientRow, ApiRow, Tables } from '#core/tables.ts'
import { prepared } from '#platform/database/prepared.ts'
import { SIGNING_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import type { Api, ApiDraft } from './api.ts'
import { detailTypes } from './detail-type.ts'

export interface ApiStore {
  /** One query, clients included: it runs in every request that names the API. */
  find(identifier: string): Promise<Api | undefined>
  /** By identifier. */
  list(): Promise<Api[]>
  /** Types of the clients that exist, by id. */
  clientTypes(ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  insert(draft: ApiDraft, now: number): Promise<void>
  /** Holds the row until the transaction ends, so that two changes at once come one after the other. False: no such row. */
  hold(identifier: string, now: number): Promise<boolean>
  change(draft: ApiDraft): Promise<void>
  /** False where there was none. */
  remove(identifier: string): Promise<boolean>
}

export function apiStore(db: Kysely<Tables>): ApiStore {
  const withClients = () =>
    db
      .selectFrom('apis')
      .leftJoin('api_clients', 'api_clients.api', 'apis.identifier')
      .selectAll('apis')
      .select(['api_clients.client_id', 'api_clients.may'])
  const findByIdentifier = prepared(db, ({ identifier }: { identifier: string }) =>
    withClients().where('identifier', '=', identifier),
  )

  const setClients = async ({ identifier, clients, introspectionClients }: ApiDraft): Promise<void> => {
    const rowsOf = (ids: readonly string[], may: string): ApiClientRow[] =>
      ids.map((id) => ({ api: identifier, client_id: id, may }))
    const rows = [...rowsOf(clients, 'call'), ...rowsOf(introspectionClients, 'introspect')]
    await db.deleteFrom('api_clients').where('api', '=', identifier).execute()
    if (rows.length > 0) await db.insertInto('api_clients').values(rows).execute()
  }

  return {
    async find(identifier) {
      const { rows } = await findByIdentifier({ identifier })
      return apisOf(rows)[0]
    },

    list: async () => apisOf(await withClients().orderBy('identifier').execute()),

    async clientTypes(ids) {
      if (ids.length === 0) return new Map()
      const rows = await db.selectFrom('clients').select(['id', 'type']).where('id', 'in', ids).execute()
      return new Map(rows.map(({ id, type }) => [id, type]))
    },

    async insert(draft, now) {
      await db
        .insertInto('apis')
        .values({ identifier: draft.identifier, ...columnsOf(draft), created_at: now, updated_at: now })
        .execute()
      await setClients(draft)
    },

    async hold(identifier, now) {
      const { numUpdatedRows } = await db
        .updateTable('apis')
        .set({ updated_at: now })
        .where('identifier', '=', identifier)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async change(draft) {
      await db.updateTable('apis').set(columnsOf(draft)).where('identifier', '=', draft.identifier).execute()
      await setClients(draft)
    },

    async remove(identifier) {
      const { numDeletedRows } = await db.deleteFrom('apis').where('identifier', '=', identifier).executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}

const storedRow = z.object({
  format: z.enum(['jwt', 'opaque']),
  signing_alg: z.enum(SIGNING_ALGORITHMS),
  assignment: z.enum(['everyone', 'clients']),
})
const storedScopes = z.array(z.string())

type Joined = Selectable<ApiRow> & { readonly client_id: string | null; readonly may: string | null }

/** Rows of one API stand together, one for each thing that a client may do. */
function apisOf(rows: readonly Joined[]): Api[] {
  return [...Map.groupBy(rows, (row) => row.identifier).values()].flatMap((ofOne) => {
    const [row] = ofOne
    if (!row) return []
    const { format, signing_alg: signingAlg, assignment } = storedRow.parse(row)
    const clientsThat = (may: string) =>
      ofOne.flatMap((one) => (one.may === may && one.client_id !== null ? [one.client_id] : [])).toSorted()
    return {
      identifier: row.identifier,
      name: row.name,
      scopes: storedScopes.parse(JSON.parse(row.scopes)),
      detailTypes: detailTypes.parse(JSON.parse(row.detail_types)),
      format,
      accessTokenSeconds: row.access_token_seconds,
      signingAlg,
      assignment,
      clients: clientsThat('call'),
      introspectionClients: clientsThat('introspect'),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }
  })
}

function columnsOf(draft: ApiDraft) {
  return {
    name: draft.name,
    scopes: JSON.stringify(draft.scopes),
    detail_types: JSON.stringify(draft.detailTypes),
    format: draft.format,
    access_token_seconds: draft.accessTokenSeconds,
    signing_alg: draft.signingAlg,
    assignment: draft.assignment,
  }
}
