/**
 * SQLite through better-sqlite3. The driver is ours for three reasons. A statement is prepared once and kept. The writes
 * of concurrent requests share commits (sqlite-batch.ts). And a lock held by another process is waited for between tries,
 * with the event loop free, instead of inside better-sqlite3 where it would stop the server (measured: a 3 s lock stalls a
 * default better-sqlite3 for 3 s).
 */
import Sqlite from 'better-sqlite3'
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  ValueNode,
  sql,
  type Driver,
  type LimitNode,
  type TransactionSettings,
} from 'kysely'
import { AppError } from '#platform/errors.ts'
import { withUnits, type UnitsOfDriver } from '../unit.ts'
import type { CountedDialect, DatabaseKind } from './kind.ts'
import { SqliteConnection, sqliteUnit } from './sqlite-connection.ts'
import { openFile, type SqliteFile } from './sqlite-file.ts'
import { isBusy } from './sqlite-handle.ts'

const UNIQUE_VIOLATIONS = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'])

export const sqlite: DatabaseKind = {
  name: 'sqlite',
  protocols: ['sqlite:'],
  writersTakeTurns: true,
  dialect: (url, _onIdleError, units) => sqliteDialect(url.slice('sqlite:'.length), units),
  async unhurried(db, _url, run) {
    // what is sorted for the index of a big table takes as much memory as the index, unless it may go to a file
    await sql`pragma temp_store = file`.execute(db)
    try {
      return await run(db)
    } finally {
      await sql`pragma temp_store = memory`.execute(db)
    }
  },
  isTransient: (error) => isBusy(error) || (error instanceof AppError && isBusy(error.cause)),
  isUniqueViolation: (error) => error instanceof Sqlite.SqliteError && UNIQUE_VIOLATIONS.has(error.code),
}

function sqliteDialect(path: string, units: UnitsOfDriver | undefined): CountedDialect {
  const driver = new SqliteDriver(path)
  const joining = units && withUnits(driver, units, () => sqliteUnit(driver.file))
  return {
    run(query) {
      if (!driver.isOpen) return undefined
      return joining?.connectionOfUnit()?.executeQuery(query) ?? driver.file.run(query)
    },
    createDriver: () => joining ?? driver,
    createQueryCompiler: () => new OwnSqliteCompiler(),
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

/**
 * A limit stands in the text: as a parameter it makes SQLite plan the statement anew at each run, since the plan may
 * depend on it, and better-sqlite3 then compiles a new function for its rows (measured: 19 µs in place of 4).
 */
class OwnSqliteCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    const { limit } = node
    if (!ValueNode.is(limit) || typeof limit.value !== 'number') return super.visitLimit(node)
    this.append('limit ')
    this.appendImmediateValue(limit.value)
  }
}

class SqliteDriver implements Driver {
  readonly #path: string
  /** Used again: Kysely prepares each connection that it sees for the first time, which takes a microsecond. */
  readonly #idle: SqliteConnection[] = []
  #file: SqliteFile | undefined

  constructor(path: string) {
    this.#path = path
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  get file(): SqliteFile {
    if (!this.#file) throw new Error('the SQLite driver was used before it was initialised')
    return this.#file
  }

  async init(): Promise<void> {
    this.#file = await openFile(this.#path)
  }

  async acquireConnection(): Promise<SqliteConnection> {
    return this.#idle.pop() ?? new SqliteConnection(this.file)
  }

  async beginTransaction(connection: SqliteConnection, { accessMode }: TransactionSettings): Promise<void> {
    await connection.begin(accessMode === 'read only')
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    connection.commit()
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    connection.rollback()
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    if (!connection.hadTransaction) this.#idle.push(connection)
  }

  async destroy(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }
}
