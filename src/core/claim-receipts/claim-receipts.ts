/**
 * Which client was given which claims of a person, and when: one row for each ID token and each answer of userinfo,
 * with the names of the claims and never their values. No answer waits for its receipt; what could not be written yet
 * is kept in memory and tried again, and only once very many wait are answers refused. Why so, and what a crash loses:
 * docs/decisions/009-claims-by-client.md.
 */
import type { Accounts } from '#core/accounts/accounts.ts'
import { pageOf, type Page } from '#core/paging.ts'
import type { ClaimReceiptRow } from '#core/tables.ts'
import { cursorOf, timedId } from '#core/timed-id.ts'
import type { Clock } from '#platform/clock.ts'
import type { Units } from '#platform/database/unit.ts'
import { writeQueue } from '#platform/database/write-queue.ts'
import { AppError } from '#platform/errors.ts'
import type { Log } from '#platform/log.ts'
import type { ClaimReceipt, Release } from './claim-receipt.ts'
import { parseReceiptQuery } from './receipt-query.ts'
import type { ClaimReceiptStore } from './store.ts'

export interface ClaimReceipts {
  /**
   * The receipt is stored within a moment after what it stands for, and not at all if that is not.
   * @throws AppError(unavailable) where very many could not be stored for long
   */
  record(release: Release): void
  /** Stores at once what waits to be stored. */
  flush(): Promise<void>
  /**
   * A page, newest first.
   * @param query `user`, `client`, `since`, `limit` and `cursor` as a door received them
   * @throws AppError(invalid_input) for what cannot be read; AppError(not_found) for nobody
   */
  list(query: unknown): Promise<Page<ClaimReceipt>>
  /** Deletes at most `limit` receipts older than the retention, and tells how many. */
  sweep(limit: number): Promise<number>
  /** Stores what waits to be stored, for the last time. */
  close(): Promise<void>
}

export interface ClaimReceiptsNeeds {
  readonly store: ClaimReceiptStore
  readonly whenStored: Units['whenStored']
  readonly accounts: Pick<Accounts, 'get' | 'findById'>
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  readonly settings: { readonly claimReceipts: { readonly retentionSeconds: number } }
}

export function createClaimReceipts(needs: ClaimReceiptsNeeds): ClaimReceipts {
  const { store, whenStored, accounts, clock, log, settings } = needs
  const { retentionSeconds } = settings.claimReceipts
  const queue = writeQueue({
    what: 'claim receipts',
    insert: (rows: readonly ClaimReceiptRow[]) => store.insert(rows),
    // receipts go with the person: of somebody who was deleted meanwhile there is nothing to keep
    isGone: async ({ account_id }) => !(await accounts.findById(account_id)),
    log,
  })

  return {
    record({ accountId, clientId, place, claims }) {
      if (retentionSeconds === 0) return
      const at = clock.now()
      const names = JSON.stringify(claims.toSorted())
      const row = { id: timedId(at), at, account_id: accountId, client_id: clientId, place, claims: names }
      if (!queue.hasRoom()) throw notOnRecord()
      whenStored(() => queue.add(row))
    },

    flush: () => queue.flush(),
    close: () => queue.close(),

    async list(query) {
      const { user, client, since, limit, cursor } = parseReceiptQuery(query)
      const found = await store.list({
        accountId: user === undefined ? undefined : (await accounts.get(user)).id,
        clientId: client,
        from: since === undefined ? undefined : clock.now() - since,
        before: cursor,
        limit: limit + 1,
      })
      return pageOf(found, limit, ({ id }) => cursorOf(id))
    },

    sweep: (limit) => store.removeBefore(clock.now() - retentionSeconds, limit),
  }
}

function notOnRecord(): AppError {
  return new AppError('unavailable', 'What was asked cannot be put on record now, so it is not given.', {
    hint: 'Try again in a moment.',
    retryAfterSeconds: 5,
  })
}
