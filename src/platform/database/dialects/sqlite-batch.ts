import type { CompiledQuery, QueryResult } from 'kysely'
import { notStored } from '../unit.ts'
import { translated, type SqliteHandle } from './sqlite-handle.ts'

/** How long a batch takes in newcomers, in milliseconds, and how many: after that those who come wait for the next. */
const OPEN_MS = 4
const MOST_MEMBERS = 256
/** A member that hangs costs the others this long, in milliseconds, and then their answers. */
const DEADLINE_MS = 5_000

/**
 * One transaction for the writes of many, so that one sync of the disk does for all of them (group commit). It ends when
 * the last member has left; each member's answer waits for that.
 */
export interface Batch {
  /** Joins, if the batch still takes members in. Whoever joined has to leave or to fail. */
  enter(): boolean
  /** @throws whatever the statement throws; AppError(unavailable) once the batch is over */
  execute<R>(query: CompiledQuery): QueryResult<R>
  /**
   * Waits for the commit: true once everything is on disk, false where another member failed and took it all back.
   * @throws AppError(unavailable) where the commit failed
   */
  leave(): Promise<boolean>
  /** Takes everything back at once, what others wrote too: SQLite cannot tell the writes of one connection apart. */
  fail(): void
  readonly ended: Promise<void>
}

/** @param writer has just begun a transaction */
export function openBatch(writer: SqliteHandle): Batch {
  const openedAt = performance.now()
  const stored = Promise.withResolvers<boolean>()
  const ended = Promise.withResolvers<void>()
  let [inside, joined, over] = [0, 0, false]

  /** @param finish tells whether the writes are stored, or throws why not */
  const end = (finish: () => boolean): void => {
    if (over) return
    over = true
    clearTimeout(deadline)
    try {
      stored.resolve(finish())
    } catch (error) {
      writer.rollback()
      stored.reject(translated(error))
    } finally {
      ended.resolve()
    }
  }
  const commit = () => {
    writer.commit()
    return true
  }
  const takeBack = () => {
    writer.rollback()
    return false
  }
  const deadline = setTimeout(() => end(takeBack), DEADLINE_MS).unref()
  // nobody may be left to hear of it
  stored.promise.catch(() => {})

  return {
    enter() {
      if (over) return false
      // the first is never too late, or a batch that nobody leaves would stay open
      if (joined > 0 && (joined >= MOST_MEMBERS || performance.now() - openedAt > OPEN_MS)) return false
      inside += 1
      joined += 1
      return true
    },

    execute<R>(query: CompiledQuery) {
      if (over) throw notStored()
      try {
        return writer.execute<R>(query)
      } catch (error) {
        // a full disk has ended the transaction of all
        if (!writer.database.inTransaction)
          end(() => {
            throw error
          })
        throw translated(error)
      }
    },

    leave() {
      inside -= 1
      // whatever else this turn of the event loop brings may still join
      if (inside === 0) setImmediate(() => inside === 0 && end(commit))
      return stored.promise
    },

    fail: () => end(takeBack),
    ended: ended.promise,
  }
}
