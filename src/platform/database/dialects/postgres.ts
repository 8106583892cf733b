/**
 * PostgreSQL through pg's pool, with a deadline on every wait. Nothing here or in the queries binds us to one maker
 * of the PostgreSQL protocol: no sequences, no advisory locks. A server that is away, going down, full or read-only is
 * told as AppError(unavailable), so that above this file a lost connection never looks like a bug of ours.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresDriver,
  sql,
  type AbortableOperationOptions,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type MigrationLockOptions,
  type PostgresPool,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import { AppError } from '#platform/errors.ts'
import { withUnits, type DriverWithUnits, type UnitsOfDriver } from '../unit.ts'
import type { ConnectionCounts, CountedDialect, DatabaseKind } from './kind.ts'
import { patientPool } from './postgres-pool.ts'
import { alone, postgresUnit } from './postgres-unit.ts'

/** pg_type.oid of int8 */
const INT8_OID = 20

const DEADLINE_MS = 5_000
/** The server ends a statement first, and says why; who waits for it gives up a little later. */
const ANSWER_MS = DEADLINE_MS + 1_000
const POOL_SIZE = 10
/** What was set for a database or a user, read-only for one, holds for connections made afterwards: none lives long. */
const CONNECTION_SECONDS = 60

/** How often, and after how long a pause at most, a statement on its own is tried again that collided with others. */
const RETRIES = 4
const RETRY_WITHIN_MS = 40

const UNIQUE_VIOLATION = '23505'
/**
 * serialization failure, deadlock, unique violation (two makers of one table), duplicate table, cannot connect now,
 * statement timeout (somebody else's migration takes long)
 */
const TRANSIENT = new Set(['40001', '40P01', UNIQUE_VIOLATION, '42P07', '57P03', '57014'])
/**
 * classes 08 connection, 53 resources, 57 operator intervention; a standby; a transaction ended for idling; a rollback
 * for others' sake
 */
const OUTAGE = /^(08|53|57|25006|25P03|40)/

export const postgres: DatabaseKind = {
  name: 'postgres',
  protocols: ['postgres://', 'postgresql://'],
  writersTakeTurns: false,
  dialect: (url, onIdleError, units) => postgresDialect(url, { onIdleError, units, statementMs: DEADLINE_MS }),
  async unhurried<Tables, R>(_db: Kysely<Tables>, url: string, run: (db: Kysely<Tables>) => Promise<R>) {
    const own = new Kysely<Tables>({ dialect: postgresDialect(url, { onIdleError: () => {} }) })
    try {
      return await run(own)
    } finally {
      await own.destroy()
    }
  },
  isTransient: (error) =>
    TRANSIENT.has(codeOf(error) ?? '') || (error instanceof AppError && TRANSIENT.has(codeOf(error.cause) ?? '')),
  isUniqueViolation: (error) => codeOf(error) === UNIQUE_VIOLATION,
}

interface DialectOptions {
  readonly onIdleError: (error: Error) => void
  readonly units?: UnitsOfDriver | undefined
  readonly statementMs?: number
}

function postgresDialect(url: string, { onIdleError, units, statementMs }: DialectOptions): CountedDialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    maxLifetimeSeconds: CONNECTION_SECONDS,
    connectionTimeoutMillis: DEADLINE_MS,
    idle_in_transaction_session_timeout: 2 * DEADLINE_MS,
    ...(statementMs === undefined ? {} : { statement_timeout: statementMs }),
    keepAlive: true,
    types: { getTypeParser: numbersForBigints },
  })
  // without a listener a connection that the server closes would end the process: the pool listens for the idle ones,
  // and in one that is in use the query under way fails
  pool.on('error', onIdleError)
  pool.on('connect', (client) => void client.on('error', () => {}))
  return new OwnPostgresDialect(pool, statementMs === undefined ? pool : patientPool(pool, ANSWER_MS), units)
}

class OwnPostgresDialect extends PostgresDialect implements CountedDialect {
  readonly #pool: pg.Pool
  readonly #driver: OwnPostgresDriver
  readonly #joining: DriverWithUnits | undefined

  /** @param lending the pool as queries get connections from it */
  constructor(pool: pg.Pool, lending: PostgresPool, units: UnitsOfDriver | undefined) {
    super({ pool: lending })
    const driver = new OwnPostgresDriver({ pool: lending })
    this.#pool = pool
    this.#driver = driver
    this.#joining = units && withUnits(driver, units, () => postgresUnit(driver))
  }

  run<R>(query: CompiledQuery<R>): Promise<QueryResult<R>> | undefined {
    if (!this.#driver.isOpen) return undefined
    return this.#joining?.connectionOfUnit()?.executeQuery<R>(query) ?? alone<R>(this.#driver, query)
  }

  override createDriver(): Driver {
    return this.#joining ?? this.#driver
  }

  override createAdapter(): PostgresAdapter {
    return new RowLockPostgresAdapter()
  }

  connections(): ConnectionCounts {
    const { totalCount, idleCount, waitingCount } = this.#pool
    return { used: totalCount - idleCount, idle: idleCount, waiting: waitingCount }
  }
}

class OwnPostgresDriver extends PostgresDriver {
  isOpen = false
  readonly #known = new WeakSet<DatabaseConnection>()
  readonly #inTransaction = new WeakSet<DatabaseConnection>()

  override async init(options?: AbortableOperationOptions): Promise<void> {
    await super.init(options)
    this.isOpen = true
  }

  override async destroy(): Promise<void> {
    this.isOpen = false
    await super.destroy()
  }

  override async acquireConnection(options?: AbortableOperationOptions): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection(options).catch((error: unknown) => {
      throw translated(error)
    })
    if (!this.#known.has(connection)) {
      this.#known.add(connection)
      const execute = connection.executeQuery.bind(connection)
      connection.executeQuery = async (query, queryOptions) => {
        for (let triesLeft = RETRIES; ; triesLeft -= 1) {
          try {
            return await execute<never>(query, queryOptions)
          } catch (error) {
            // a statement of a transaction is half of something, and only a whole may be tried again
            if (triesLeft === 0 || !isCollision(error) || this.#inTransaction.has(connection)) throw translated(error)
            await sleep(RETRY_WITHIN_MS * Math.random())
          }
        }
      }
    }
    return connection
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await super.beginTransaction(connection, settings)
    this.#inTransaction.add(connection)
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await super.commitTransaction(connection)
    this.#inTransaction.delete(connection)
  }

  override async rollbackTransaction(connection: Parameters<PostgresDriver['rollbackTransaction']>[0]): Promise<void> {
    this.#inTransaction.delete(connection)
    await super.rollbackTransaction(connection)
  }
}

/** The migrator's lock as a row lock of the surrounding transaction: plain SQL, and freed by a crash. */
class RowLockPostgresAdapter extends PostgresAdapter {
  // oxlint-disable-next-line typescript/no-explicit-any -- the signature is Kysely's
  override async acquireMigrationLock(db: Kysely<any>, { lockTable, lockRowId }: MigrationLockOptions): Promise<void> {
    await sql`select id from ${sql.table(lockTable)} where id = ${lockRowId} for update`.execute(db)
  }

  override async releaseMigrationLock(): Promise<void> {}
}

/** What the server did not say itself came from the connection: refused, reset, timed out, closed under a query. */
function translated(error: unknown): unknown {
  const code = codeOf(error)
  const outage = code === undefined ? error instanceof Error && !(error instanceof TypeError) : OUTAGE.test(code)
  if (!outage) return error
  return new AppError('unavailable', 'The database does not answer at the moment.', {
    retryAfterSeconds: 2,
    cause: error,
  })
}

/** Serialization failure and deadlock: the server undid the statement for the sake of others, so it did not happen. */
function isCollision(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error) ?? '')
}

/** The SQLSTATE of an error that the server sent. */
function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** Times and counts are int8 in PostgreSQL and fit a double; everything else stays as pg reads it. */
function numbersForBigints(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === INT8_OID) return Number
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text')
}
