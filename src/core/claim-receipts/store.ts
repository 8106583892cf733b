/** The rows of claim receipts. Their ids begin with the time, so that one column is order, cursor and age. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { ClaimReceiptRow, Tables } from '#core/tables.ts'
import type { ClaimReceipt } from './claim-receipt.ts'
import { timedIdStart } from '#core/timed-id.ts'

export interface ReceiptPage {
  readonly accountId: string | undefined
  readonly clientId: string | undefined
  /** Not older than this, in epoch seconds. */
  readonly from: number | undefined
  /** Those before this id. */
  readonly before: string | undefined
  readonly limit: number
}

export interface ClaimReceiptStore {
  /** All of them or none. */
  insert(rows: readonly ClaimReceiptRow[]): Promise<void>
  /** Newest first. */
  list(page: ReceiptPage): Promise<readonly ClaimReceipt[]>
  /** Deletes at most `limit` rows from before the time, the oldest first, and tells how many. */
  removeBefore(time: number, limit: number): Promise<number>
}

export function claimReceiptStore(db: Kysely<Tables>): ClaimReceiptStore {
  return {
    async insert(rows) {
      await db
        .insertInto('claim_receipts')
        .values([...rows])
        .execute()
    },

    async list({ accountId, clientId, from, before, limit }) {
      const rows = await db
        .selectFrom('claim_receipts')
        .selectAll()
        .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
        .$if(clientId !== undefined, (query) => query.where('client_id', '=', clientId ?? ''))
        .$if(from !== undefined, (query) => query.where('id', '>=', timedIdStart(from ?? 0)))
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(receiptOf)
    },

    async removeBefore(time, limit) {
      const old = db
        .selectFrom('claim_receipts')
        .select('id')
        .where('id', '<', timedIdStart(time))
        .orderBy('id')
        .limit(limit)
      const { numDeletedRows } = await db.deleteFrom('claim_receipts').where('id', 'in', old).executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const stored = z.object({ place: z.enum(['id_token', 'userinfo']), claims: z.array(z.string()) })

function receiptOf(row: Selectable<ClaimReceiptRow>): ClaimReceipt {
  const { place, claims } = stored.parse({ place: row.place, claims: JSON.parse(row.claims) })
  return { id: row.id, at: row.at, accountId: row.account_id, clientId: row.client_id, place, claims }
}
