/**
 * PostgreSQL through pg's pool, with a deadline on every wait. Nothing here or in the queries binds us to one maker
 * of the PostgreSQL protocol: no sequences, no advisory locks.
 */
import pg from 'pg'
import { PostgresAdapter, PostgresDialect, sql, type Dialect, type Kysely, type MigrationLockOptions } from 'kysely'
import type { DatabaseKind } from './index.ts'

const DEADLINE_MS = 5_000
const POOL_SIZE = 10

/** pg_type.oid of int8 */
const INT8_OID = 20

const UNIQUE_VIOLATION = '23505'
/** serialization failure, deadlock, unique violation (two makers of one table), duplicate table, cannot connect now */
const TRANSIENT = new Set(['40001', '40P01', UNIQUE_VIOLATION, '42P07', '57P03'])

export const postgres: DatabaseKind = {
  name: 'postgres',
  protocols: ['postgres://', 'postgresql://'],
  dialect: postgresDialect,
  isTransient: (error) => error instanceof pg.DatabaseError && error.code !== undefined && TRANSIENT.has(error.code),
  isUniqueViolation: (error) => error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION,
}

function postgresDialect(url: string, onIdleError: (error: Error) => void): Dialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: DEADLINE_MS,
    statement_timeout: DEADLINE_MS,
    query_timeout: DEADLINE_MS + 1_000,
    idle_in_transaction_session_timeout: 2 * DEADLINE_MS,
    keepAlive: true,
    types: { getTypeParser: numbersForBigints },
  })
  // without a listener a connection that the server closes would end the process
  pool.on('error', onIdleError)
  return new LockingPostgresDialect({ pool })
}

class LockingPostgresDialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new RowLockPostgresAdapter()
  }
}

/** The migrator's lock as a row lock of the surrounding transaction: plain SQL, and freed by a crash. */
class RowLockPostgresAdapter extends PostgresAdapter {
  override async acquireMigrationLock(
    db: Kysely<unknown>,
    { lockTable, lockRowId }: MigrationLockOptions,
  ): Promise<void> {
    await sql`select id from ${sql.table(lockTable)} where id = ${lockRowId} for update`.execute(db)
  }

  override async releaseMigrationLock(): Promise<void> {}
}

/** Times and counts are int8 in PostgreSQL and fit a double; everything else stays as pg reads it. */
function numbersForBigints(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === INT8_OID) return Number
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text')
}
