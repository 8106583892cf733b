/**
 * SQLite through better-sqlite3. The driver is ours for two reasons. A statement is prepared once and kept. And a lock
 * held by another process is waited for between tries, with the event loop free, instead of inside better-sqlite3
 * where it would stop the server (measured: a 3 s lock stalls a default better-sqlite3 for 3 s).
 */
import Sqlite from 'better-sqlite3'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type Driver,
} from 'kysely'
import { AppError } from '#platform/errors.ts'
import type { DatabaseKind } from './kind.ts'
import { isBusy, openFile, SqliteConnection, type SqliteFile } from './sqlite-file.ts'

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
    createAdapter: () => new OwnSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

class OwnSqliteAdapter extends SqliteAdapter {
  /** SQLite's DDL is transactional; Kysely's own adapter says otherwise and would leave half a migration behind. */
  override get supportsTransactionalDdl(): boolean {
    return true
  }

  /** Kysely would queue every query behind one that waits for a lock; SqliteDriver keeps them apart itself. */
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class SqliteDriver implements Driver {
  readonly #path: string
  #file: SqliteFile | undefined

  constructor(path: string) {
    this.#path = path
  }

  async init(): Promise<void> {
    this.#file = await openFile(this.#path)
  }

  async acquireConnection(): Promise<SqliteConnection> {
    if (!this.#file) throw new Error('the SQLite driver was used before it was initialised')
    return new SqliteConnection(this.#file)
  }

  /** Immediate: the write lock is taken before the first read, so that no transaction fails half-way (SQLITE_BUSY_SNAPSHOT). */
  async beginTransaction(connection: SqliteConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    await connection.rollback()
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#file?.close()
    this.#file = undefined
  }
}
