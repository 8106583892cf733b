import type { ClaimReceiptRow } from '#core/tables.ts'
import { AppError } from '#platform/errors.ts'
import type { Log } from '#platform/log.ts'

/** How long a receipt waits for others, so that one statement and one sync of the disk do for all of them. */
const LINGER_MS = 200
const RETRY_MS = 1_000
const BATCH = 200
/** Some megabytes; an outage of that many releases makes those that come refused. */
const MAX_WAITING = 10_000

export interface ReceiptQueue {
  /** @throws AppError(unavailable) where too many wait already */
  assertRoom(): void
  add(row: ClaimReceiptRow): void
  /** Writes what waits now; what cannot be written stays, and is tried again. */
  flush(): Promise<void>
  /** Writes what waits, for the last time. */
  close(): Promise<void>
}

export interface ReceiptQueueNeeds {
  /** All of them or none. */
  insert(rows: readonly ClaimReceiptRow[]): Promise<void>
  isGone(accountId: string): Promise<boolean>
  readonly log: Pick<Log, 'warn'>
}

/** Receipts on their way to the database. No release waits for it, and none is forgotten while the process lives. */
export function receiptQueue({ insert, isGone, log }: ReceiptQueueNeeds): ReceiptQueue {
  let waiting: ClaimReceiptRow[] = []
  let writing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failing = false

  const flush = (): Promise<void> => (writing ??= write().finally(() => (writing = undefined)))

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH)
      const left = await unstored(batch)
      waiting = [...left, ...waiting.slice(batch.length)]
      if (left.length > 0) return writeIn(RETRY_MS)
      failing = false
    }
  }

  const writeIn = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      void flush()
    }, ms).unref()
  }

  /** Stores the rows, one by one where they cannot be stored together, and gives back those that have to wait. */
  const unstored = async (rows: readonly ClaimReceiptRow[]): Promise<readonly ClaimReceiptRow[]> => {
    try {
      await insert(rows)
      return []
    } catch (error) {
      const [row] = rows
      // receipts go with the person: of somebody who was deleted meanwhile there is nothing to keep
      if (row && rows.length === 1 && (await isGone(row.account_id).catch(() => false))) return []
      if (rows.length === 1 || error instanceof AppError) {
        if (!failing) log.warn({ err: error }, 'claim receipts cannot be stored; they wait, and it is tried again')
        failing = true
        return rows
      }
    }
    for (const [index, row] of rows.entries()) {
      if ((await unstored([row])).length > 0) return rows.slice(index)
    }
    return []
  }

  return {
    assertRoom() {
      if (waiting.length < MAX_WAITING) return
      throw new AppError('unavailable', 'What was asked cannot be put on record now, so it is not given.', {
        hint: 'Try again in a moment.',
        retryAfterSeconds: 5,
      })
    },

    add(row) {
      waiting.push(row)
      writeIn(LINGER_MS)
    },

    flush,

    async close() {
      // one that is under way may have begun before the last receipt came
      await writing
      await flush()
      clearTimeout(timer)
      if (waiting.length > 0) log.warn({ lost: waiting.length }, 'claim receipts could not be stored before the end')
    },
  }
}
