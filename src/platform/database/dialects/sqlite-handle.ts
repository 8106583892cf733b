/** One open connection to an SQLite file, and what its errors mean. */
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import type { CompiledQuery, QueryResult } from 'kysely'
import { AppError } from '#platform/errors.ts'

/** How long a statement waits for another process's lock before it is given up, in milliseconds. */
export const BUSY_LIMIT_MS = 2_000
const BUSY_PAUSE_MS = 10

/** What SQLite refuses in a transaction, or takes as meant for the connection. */
export const BARE = /^\s*(vacuum|pragma)\b/i

/** The disk is full, refuses to write, or may not be written to; or the process may open no more files. */
const OUT_OF_ROOM = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/

/** Above it a statement writes many rows, and its text differs with their number: to keep one for each is 0.1 MB each. */
const MOST_KEPT_PARAMETERS = 60

interface Prepared {
  readonly statement: Sqlite.Statement
  readonly givesRows: boolean
  /** It changes nothing, in the database or on the connection. */
  readonly isRead: boolean
}

/**
 * A connection that prepares each statement once, but for those of many rows. Its methods throw SQLite's own errors, but
 * for a damaged file.
 */
export class SqliteHandle {
  readonly database: Sqlite.Database
  readonly #statements = new Map<string, Prepared>()

  constructor(database: Sqlite.Database) {
    this.database = database
  }

  isRead({ sql, parameters }: CompiledQuery): boolean {
    return this.#prepare(sql, parameters.length).isRead
  }

  /** @throws AppError(configuration) where the file is damaged */
  execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const { statement, givesRows } = this.#prepare(sql, parameters.length)
    try {
      // boundary: what a row looks like is known to the query that asked for it
      if (givesRows) return { rows: statement.all(parameters) as R[] }
      const { changes } = statement.run(parameters)
      return { numAffectedRows: BigInt(changes), rows: [] }
    } catch (error) {
      throw damageNamed(error, this.database.name)
    }
  }

  /**
   * Immediate: the write lock is taken before the first read, so that no transaction fails half-way (SQLITE_BUSY_SNAPSHOT).
   * One that only reads takes no lock: it sees one state of the file, and nobody waits for it.
   */
  begin(readsOnly: boolean): void {
    this.#prepare(readsOnly ? 'begin' : 'begin immediate').statement.run()
  }

  commit(): void {
    this.#prepare('commit').statement.run()
  }

  /** After some errors (disk full) SQLite has rolled back by itself. */
  rollback(): void {
    if (this.database.inTransaction) this.#prepare('rollback').statement.run()
  }

  close(): void {
    this.#statements.clear()
    this.database.close()
  }

  /** Statements are few and of fixed shape; the bound only guards against text built anew for every call. */
  #prepare(sql: string, parameterCount = 0): Prepared {
    const known = this.#statements.get(sql)
    if (known) return known
    if (this.#statements.size >= 500) this.#statements.clear()
    try {
      const statement = this.database.prepare(sql)
      const { reader: givesRows, readonly: changesNothing } = statement
      const prepared = { statement, givesRows, isRead: changesNothing && !BARE.test(sql) }
      if (parameterCount <= MOST_KEPT_PARAMETERS) this.#statements.set(sql, prepared)
      return prepared
    } catch (error) {
      throw damageNamed(error, this.database.name)
    }
  }
}

/**
 * Tries again, with the event loop free in between, while another process has the lock.
 * @throws AppError(unavailable) where it is not had in time, or the disk is full
 */
export async function whenNotBusy<T>(attempt: () => T, giveUpAt = performance.now() + BUSY_LIMIT_MS): Promise<T> {
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw translated(error)
      await sleep(BUSY_PAUSE_MS)
    }
  }
}

/** What passes by itself, or once the operator has made room, is told as such; everything else stays what it is. */
export function translated(error: unknown): unknown {
  if (isBusy(error))
    return new AppError('unavailable', 'The database is locked by another process.', {
      retryAfterSeconds: 2,
      cause: error,
    })
  if (!(error instanceof Sqlite.SqliteError) || !OUT_OF_ROOM.test(error.code)) return error
  return new AppError('unavailable', 'The database cannot be written to at the moment.', {
    retryAfterSeconds: 5,
    cause: error,
  })
}

/** The error, or where it says that the file is damaged: which one, and what to do. */
export function damageNamed(error: unknown, path: string): unknown {
  if (!(error instanceof Sqlite.SqliteError) || !error.code.startsWith('SQLITE_CORRUPT')) return error
  return new AppError('configuration', `The database file ${path} is damaged: ${error.message}.`, {
    hint: 'Keep it, with its -wal, for whoever may save what is in it, and restore the newest backup: docs/operations.md.',
    cause: error,
  })
}

/** Another process, or another connection, has the lock. */
export function isBusy(error: unknown): boolean {
  return (
    error instanceof Sqlite.SqliteError &&
    (error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED'))
  )
}
