/**
 * The one connection to an SQLite file: write-ahead log, every commit on disk before it is answered. It decides whose
 * turn it is: a transaction is alone on the connection, and a lock of another process is waited for with the event
 * loop free.
 */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { CompiledQuery, type DatabaseConnection, type QueryResult } from 'kysely'
import { AppError } from '#platform/errors.ts'

/** How long a statement waits for another process's lock before it is given up, in milliseconds. */
const BUSY_LIMIT_MS = 2_000
const BUSY_PAUSE_MS = 10

/** A reader who takes long makes the log grow; once it has gone, the file is cut to this. */
const MOST_LOG_BYTES = 67_108_864

/** The disk is full, refuses to write, or may not be written to; or the process may open no more files. */
const OUT_OF_ROOM = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/

/** The one connection to the file, and who has a transaction open on it. */
export class SqliteFile {
  readonly database: Sqlite.Database
  readonly #statements = new Map<string, Sqlite.Statement>()
  #owner: SqliteConnection | undefined
  #ended = Promise.withResolvers<void>()

  constructor(database: Sqlite.Database) {
    this.database = database
  }

  /**
   * Runs the statement at once, or when no transaction but the caller's is open and no other process has the lock. A
   * statement that waits for another process keeps nobody else from trying.
   */
  async run<R>({ sql, parameters }: CompiledQuery, caller: SqliteConnection): Promise<QueryResult<R>> {
    const giveUpAt = performance.now() + BUSY_LIMIT_MS
    for (;;) {
      while (this.#owner !== undefined && this.#owner !== caller) await this.#ended.promise
      try {
        const result = this.#execute<R>(sql, parameters)
        this.#followTransaction(caller)
        return result
      } catch (error) {
        this.#followTransaction(caller)
        if (!isBusy(error) || performance.now() > giveUpAt) throw translated(error)
        await sleep(BUSY_PAUSE_MS)
      }
    }
  }

  close(): void {
    this.#statements.clear()
    this.database.close()
  }

  #execute<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    const statement = this.#prepare(sql)
    // boundary: what a row looks like is known to the query that asked for it
    if (statement.reader) return { rows: statement.all(parameters) as R[] }
    const { changes } = statement.run(parameters)
    return { numAffectedRows: BigInt(changes), rows: [] }
  }

  /** Statements are few and of fixed shape; the bound only guards against text built anew for every call. */
  #prepare(sql: string): Sqlite.Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    if (this.#statements.size >= 500) this.#statements.clear()
    const statement = this.database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** SQLite itself says whether a transaction is open: some errors end one without a rollback of ours. */
  #followTransaction(caller: SqliteConnection): void {
    if (this.database.inTransaction) {
      this.#owner = caller
    } else if (this.#owner !== undefined) {
      this.#owner = undefined
      this.#ended.resolve()
      this.#ended = Promise.withResolvers()
    }
  }
}

/** One query's or one transaction's turn on the file. */
export class SqliteConnection implements DatabaseConnection {
  readonly #file: SqliteFile

  constructor(file: SqliteFile) {
    this.#file = file
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#file.run(query, this)
  }

  /** After some errors (disk full) SQLite has rolled back by itself. */
  async rollback(): Promise<void> {
    if (this.#file.database.inTransaction) await this.executeQuery(CompiledQuery.raw('rollback'))
  }

  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('streaming is not used on SQLite: read in pages')
  }
}

/**
 * Opens the file, or makes it.
 * @throws AppError(configuration) where that cannot be; AppError(unavailable) where it is locked
 */
export async function openFile(path: string): Promise<SqliteFile> {
  try {
    if (path !== ':memory:') makeFile(path)
    const database = new Sqlite(path, { timeout: 0 })
    try {
      await whenNotBusy(() => database.pragma('journal_mode = WAL'))
      database.pragma('synchronous = FULL')
      database.pragma('foreign_keys = ON')
      database.pragma(`journal_size_limit = ${MOST_LOG_BYTES}`)
      return new SqliteFile(database)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('configuration', `The database file ${path} cannot be opened: ${reasonOf(cause)}`, {
      hint: 'Check that DATABASE_URL names an SQLite file and that its folder can be written to.',
      cause,
    })
  }
}

/** For this user alone: it holds password hashes and addresses. SQLite gives its other files the same mode. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

async function whenNotBusy<T>(attempt: () => T): Promise<T> {
  const giveUpAt = performance.now() + BUSY_LIMIT_MS
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
function translated(error: unknown): unknown {
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

/** Another process, or another connection, has the lock. */
export function isBusy(error: unknown): boolean {
  return (
    error instanceof Sqlite.SqliteError &&
    (error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED'))
  )
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
