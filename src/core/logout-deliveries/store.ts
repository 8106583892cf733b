/** Which clients took part in which session, and the logout tokens that are owed to them. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { LogoutDeliveryRow, SessionClientRow, Tables } from '#core/tables.ts'

export type SessionClient = Selectable<SessionClientRow>
export type LogoutDelivery = Selectable<LogoutDeliveryRow>

/** What came of an attempt, or where the row stands before one. */
export type DeliveryState = Pick<
  LogoutDelivery,
  'next_attempt_at' | 'last_status' | 'last_error' | 'delivered_at' | 'given_up_at'
>

export interface LogoutDeliveryStore {
  /** Remembers a client of a session; once is enough. */
  join(row: SessionClient): Promise<void>
  /** Takes away whom a session had and gives them back, all or the named client only. Of several callers one gets each row. */
  takeOfSession(sessionUid: string, clientId?: string): Promise<readonly SessionClient[]>
  takeOfAccount(accountId: string): Promise<readonly SessionClient[]>
  /** Of these clients, those that are told of a logout; true for those that are told which session ended. */
  listeners(clientIds: readonly string[]): Promise<ReadonlyMap<string, boolean>>
  insert(rows: readonly LogoutDelivery[]): Promise<void>
  /** The longest due first. */
  due(now: number, limit: number): Promise<readonly LogoutDelivery[]>
  /**
   * Counts an attempt and keeps the row from others until the time. Undefined where it was claimed, delivered or given
   * up since it was read: one conditional write decides, so that of several processes one attempts.
   */
  claim(delivery: LogoutDelivery, until: number): Promise<LogoutDelivery | undefined>
  settle(id: string, state: DeliveryState): Promise<void>
  /** Deletes at most `limit` settled rows from before the time, and tells how many. */
  sweepSettled(before: number, limit: number): Promise<number>
  /** Deletes at most `limit` clients that joined before the time a session that is no more, and tells how many. */
  sweepJoined(before: number, limit: number): Promise<number>
}

/** Of a client's metadata, what concerns its logout. */
const logoutMetadata = z.object({
  backchannel_logout_uri: z.string().optional(),
  backchannel_logout_session_required: z.boolean().optional(),
})

export function logoutDeliveryStore(db: Kysely<Tables>): LogoutDeliveryStore {
  return {
    async join(row) {
      await db
        .insertInto('session_clients')
        .values(row)
        .onConflict((conflict) => conflict.columns(['session_uid', 'client_id', 'sid']).doNothing())
        .execute()
    },

    takeOfSession: (sessionUid, clientId) =>
      db
        .deleteFrom('session_clients')
        .where('session_uid', '=', sessionUid)
        .$if(clientId !== undefined, (query) => query.where('client_id', '=', clientId ?? ''))
        .returningAll()
        .execute(),

    takeOfAccount: (accountId) =>
      db.deleteFrom('session_clients').where('account_id', '=', accountId).returningAll().execute(),

    async listeners(clientIds) {
      if (clientIds.length === 0) return new Map()
      const rows = await db
        .selectFrom('clients')
        .select(['id', 'metadata'])
        .where('id', 'in', clientIds)
        .where('disabled_at', 'is', null)
        .execute()
      return new Map(
        rows.flatMap(({ id, metadata }) => {
          const parsed = logoutMetadata.parse(JSON.parse(metadata))
          const sessionRequired = parsed.backchannel_logout_session_required === true
          return parsed.backchannel_logout_uri === undefined ? [] : [[id, sessionRequired]]
        }),
      )
    },

    async insert(rows) {
      if (rows.length > 0) await db.insertInto('logout_deliveries').values(rows).execute()
    },

    due: (now, limit) =>
      db
        .selectFrom('logout_deliveries')
        .selectAll()
        .where('next_attempt_at', '<=', now)
        .orderBy('next_attempt_at')
        .limit(limit)
        .execute(),

    claim: (delivery, until) =>
      db
        .updateTable('logout_deliveries')
        .set((row) => ({ attempts: row('attempts', '+', 1), next_attempt_at: until }))
        .where('id', '=', delivery.id)
        .where('attempts', '=', delivery.attempts)
        .where('next_attempt_at', '=', delivery.next_attempt_at)
        .returningAll()
        .executeTakeFirst(),

    async settle(id, state) {
      await db.updateTable('logout_deliveries').set(state).where('id', '=', id).execute()
    },

    async sweepSettled(before, limit) {
      const old = db
        .selectFrom('logout_deliveries')
        .select('id')
        .where('created_at', '<', before)
        .where('next_attempt_at', 'is', null)
        .limit(limit)
      const { numDeletedRows } = await db.deleteFrom('logout_deliveries').where('id', 'in', old).executeTakeFirst()
      return Number(numDeletedRows)
    },

    async sweepJoined(before, limit) {
      const orphans = db
        .selectFrom('session_clients as joined')
        .select('joined.session_uid')
        .where('joined.created_at', '<', before)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('artifacts')
                .select('artifacts.id')
                .where('artifacts.model', '=', 'Session')
                .whereRef('artifacts.session_uid', '=', 'joined.session_uid'),
            ),
          ),
        )
        .limit(limit)
      const { numDeletedRows } = await db
        .deleteFrom('session_clients')
        .where('session_uid', 'in', orphans)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}
