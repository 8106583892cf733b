/**
 * SQLite through better-sqlite3: one connection, write-ahead log, every commit on disk before it is answered.
 * The driver is ours for two reasons. A statement is prepared once and kept. And a lock held by another process is
 * waited for between tries, with the event loop free, instead of inside the driver where it would stop the server
 * (measured: a 3 s lock stalls a default better-sqlite3 for 3 s).
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely'
import { AppError } from '#platform/errors.ts'
import type { DatabaseKind } from './index.ts'

/** How long a statement waits for another process's lock before it is given up, in milliseconds. */
const BUSY_LIMIT_MS = 2_000
const BUSY_PAUSE_MS = 10

const UNIQUE_VIOLATIONS = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'])

export const sqlite: DatabaseKind = {
  name: 'sqlite',
  protocols: ['sqlite:'],
  dialect: (url) => sqliteDialect(url.slice('sqlite:'.length)),
  isTransient: (error) => isBusy(error) || (error instanceof AppError && isBusy(error.cause)),
  isUniqueViolation: (error) => error instanceof Sqlite.SqliteError && UNIQUE_VIOLATIONS.has(error.code),
}

function sqliteDialect(path: string): Dialect {
  return {
    createDriver: () => new SqliteDriver(path),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

/** SQLite's DDL is transactional; Kysely's own adapter says otherwise and would leave half a migration behind. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class SqliteDriver implements Driver {
  readonly #path: string
  #connection: SqliteConnection | undefined

  constructor(path: string) {
    this.#path = path
  }

  async init(): Promise<void> {
    this.#connection = await openConnection(this.#path)
  }

  async acquireConnection(): Promise<SqliteConnection> {
    if (!this.#connection) throw new Error('the SQLite driver was used before it was initialised')
    return this.#connection
  }

  /** Immediate: the write lock is taken before the first read, so that no transaction fails half-way (SQLITE_BUSY_SNAPSHOT). */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#connection?.close()
    this.#connection = undefined
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: Sqlite.Database
  readonly #statements = new Map<string, Sqlite.Statement>()

  constructor(database: Sqlite.Database) {
    this.#database = database
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return whenNotBusy(() => {
      const statement = this.#prepare(query.sql)
      // boundary: what a row looks like is known to the query that asked for it
      if (statement.reader) return { rows: statement.all(query.parameters) as R[] }
      const { changes } = statement.run(query.parameters)
      return { numAffectedRows: BigInt(changes), rows: [] }
    })
  }

  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('streaming is not used on SQLite: read in pages')
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  /** Statements are few and of fixed shape; the bound only guards against text built anew for every call. */
  #prepare(sql: string): Sqlite.Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    if (this.#statements.size >= 500) this.#statements.clear()
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

async function openConnection(path: string): Promise<SqliteConnection> {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    return await whenNotBusy(() => {
      const database = new Sqlite(path, { timeout: 0 })
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
      database.pragma('foreign_keys = ON')
      return new SqliteConnection(database)
    })
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('configuration', `The database file ${path} cannot be opened: ${reasonOf(cause)}`, {
      hint: 'Check that DATABASE_URL names an SQLite file and that its folder can be written to.',
      cause,
    })
  }
}

async function whenNotBusy<T>(attempt: () => T): Promise<T> {
  const giveUpAt = performance.now() + BUSY_LIMIT_MS
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (performance.now() > giveUpAt) {
        throw new AppError('unavailable', 'The database is locked by another process.', {
          retryAfterSeconds: 2,
          cause: error,
        })
      }
      await sleep(BUSY_PAUSE_MS)
    }
  }
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Sqlite.SqliteError &&
    (error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED'))
  )
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
