import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '#platform/errors.ts'
import type { Log } from '#platform/log.ts'

/** How long a row waits for others, so that one statement and one sync of the disk do for all of them. */
const LINGER_MS = 200
const RETRY_MS = 1_000
const BATCH = 200
/** Some megabytes. */
const MAX_WAITING = 10_000

export interface WriteQueue<Row> {
  /** False where too many wait already: ask before what the row stands for. */
  hasRoom(): boolean
  add(row: Row): void
  /** Writes what waits now; what cannot be written stays, and is tried again. */
  flush(): Promise<void>
  /** Writes what waits, for the last time. */
  close(): Promise<void>
}

export interface WriteQueueNeeds<Row> {
  /** What the rows are, for the log, such as `claim receipts`. */
  readonly what: string
  /** All of them or none. */
  insert(rows: readonly Row[]): Promise<void>
  /** Whether there is nothing left to keep the row for, where it cannot be stored. */
  isGone(row: Row): Promise<boolean>
  readonly log: Pick<Log, 'warn'>
}

/** Rows on their way to the database. No request waits for them, and none is forgotten while the process lives. */
export function writeQueue<Row>({ what, insert, isGone, log }: WriteQueueNeeds<Row>): WriteQueue<Row> {
  let waiting: Row[] = []
  let writing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failing = false
  // rows of many requests are written together, in the context of none of them
  const outside = AsyncLocalStorage.snapshot()

  const flush = (): Promise<void> => (writing ??= outside(write).finally(() => (writing = undefined)))

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
    timer ??= outside(() =>
      setTimeout(() => {
        timer = undefined
        void flush()
      }, ms).unref(),
    )
  }

  /** Stores the rows, one by one where they cannot be stored together, and gives back those that have to wait. */
  const unstored = async (rows: readonly Row[]): Promise<readonly Row[]> => {
    try {
      await insert(rows)
      return []
    } catch (error) {
      const [row] = rows
      if (row && rows.length === 1 && (await isGone(row).catch(() => false))) return []
      if (rows.length === 1 || error instanceof AppError) {
        if (!failing) log.warn({ err: error }, `${what} cannot be stored; they wait, and it is tried again`)
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
    hasRoom: () => waiting.length < MAX_WAITING,

    add(row) {
      waiting.push(row)
      writeIn(LINGER_MS)
    },

    flush,

    async close() {
      // one that is under way may have begun before the last row came
      await writing
      await flush()
      clearTimeout(timer)
      if (waiting.length > 0) log.warn({ lost: waiting.length }, `${what} could not be stored before the end`)
    },
  }
}
