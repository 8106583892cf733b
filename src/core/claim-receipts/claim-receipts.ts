/**
 * Which client was given which claims of a person, and when: one row for each ID token and each answer of userinfo,
 * with the names of the claims and never their values. A receipt is written before the answer is sent, and where it
 * cannot be written the answer is not given: an account of releases that may have holes is none
 * (docs/decisions/009-claims-by-client.md).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Accounts } from '#core/accounts/accounts.ts'
import type { ClaimReceiptRow } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import { AppError } from '#platform/errors.ts'
import type { ClaimReceipt, Release } from './claim-receipt.ts'
import { cursorOf, parseReceiptQuery, receiptId } from './receipt-query.ts'
import type { ClaimReceiptStore } from './store.ts'

export interface ClaimReceipts {
  /** Resolves once the receipt is stored. @throws AppError(unavailable) where it cannot be */
  record(release: Release): Promise<void>
  /**
   * A page, newest first.
   * @param query `user`, `client`, `since`, `limit` and `cursor` as a door received them
   * @throws AppError(invalid_input) for what cannot be read; AppError(not_found) for nobody
   */
  list(query: unknown): Promise<{ readonly items: readonly ClaimReceipt[]; readonly next: string | undefined }>
  /** Deletes at most `limit` receipts older than the retention, and tells how many. */
  sweep(limit: number): Promise<number>
}

export interface ClaimReceiptsNeeds {
  readonly store: ClaimReceiptStore
  readonly accounts: Pick<Accounts, 'get'>
  readonly clock: Clock
  readonly settings: { readonly claimReceipts: { readonly retentionSeconds: number } }
}

export function createClaimReceipts({ store, accounts, clock, settings }: ClaimReceiptsNeeds): ClaimReceipts {
  const { retentionSeconds } = settings.claimReceipts
  const write = inBatches((rows: readonly ClaimReceiptRow[]) => store.insert(rows))

  return {
    async record({ accountId, clientId, place, claims }) {
      if (retentionSeconds === 0) return
      const at = clock.now()
      const names = JSON.stringify(claims.toSorted())
      try {
        await write({ id: receiptId(at), at, account_id: accountId, client_id: clientId, place, claims: names })
      } catch (cause) {
        if (cause instanceof AppError) throw cause
        throw new AppError('unavailable', 'What was asked could not be put on record, so it was not given.', {
          hint: 'Try again in a moment.',
          retryAfterSeconds: 1,
          cause,
        })
      }
    },

    async list(query) {
      const { user, client, since, limit, cursor } = parseReceiptQuery(query)
      const found = await store.list({
        accountId: user === undefined ? undefined : (await accounts.get(user)).id,
        clientId: client,
        from: since === undefined ? undefined : clock.now() - since,
        before: cursor,
        limit: limit + 1,
      })
      const items = found.slice(0, limit)
      const last = items.at(-1)
      return { items, next: found.length > limit && last ? cursorOf(last.id) : undefined }
    },

    sweep: (limit) => store.removeBefore(clock.now() - retentionSeconds, limit),
  }
}

interface Waiting<T> {
  readonly item: T
  readonly stored: () => void
  readonly failed: (error: unknown) => void
}

/**
 * Writes items at once while nothing is being written, else together with all others that came meanwhile: under load
 * many releases share one statement and one sync of the disk. Each caller waits for its own item.
 */
function inBatches<T>(write: (items: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  let waiting: Waiting<T>[] = []
  let writing = false

  const drain = async (): Promise<void> => {
    writing = true
    while (waiting.length > 0) {
      // SQLite writes without letting anybody in: those that are about to come are let in first
      await nextTurn()
      const batch = waiting.slice(0, BATCH)
      waiting = waiting.slice(BATCH)
      try {
        await write(batch.map(({ item }) => item))
        for (const { stored } of batch) stored()
      } catch (error) {
        await apart(batch, error)
      }
    }
    writing = false
  }

  /** One item that cannot be stored (its person is being deleted) must not take the others with it; an outage takes all. */
  const apart = async (batch: readonly Waiting<T>[], error: unknown): Promise<void> => {
    if (batch.length === 1 || error instanceof AppError) {
      for (const { failed } of batch) failed(error)
      return
    }
    for (const { item, stored, failed } of batch) await write([item]).then(stored, failed)
  }

  return (item) =>
    new Promise((stored, failed) => {
      waiting.push({ item, stored, failed })
      if (!writing) void drain()
    })
}

/** Rows of one statement: SQLite and PostgreSQL take tens of thousands of parameters. */
const BATCH = 200
