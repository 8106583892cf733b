/**
 * A pool whose connections are never waited for longer than the request, or any statement, has time. A connection that
 * missed its deadline is closed, not put back: its answer may still come, or never, and whoever used it next would wait
 * behind it (pg's own `query_timeout` puts it back).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type pg from 'pg'
import { patienceLeft, spendPatience } from '../patience.ts'

const GOODBYE_MS = 1_000

/** @param limitMs the longest that a connection, or the answer to one statement, is waited for */
export function patientPool(pool: pg.Pool, limitMs: number): PostgresPool {
  // one for each connection: Kysely, too, makes something of each that it sees for the first time
  const patient = new WeakMap<pg.PoolClient, PatientClient>()
  const patientOf = (client: pg.PoolClient): PatientClient => {
    const known = patient.get(client) ?? patientClient(client, limitMs)
    patient.set(client, known)
    return known
  }
  return {
    options: pool.options,
    connect: () => spendPatience(async () => patientOf(await connected(pool, patienceLeft(limitMs))).lent()),
    // a server that has gone silent does not even hear that we leave
    end: () => Promise.race([pool.end(), sleep(GOODBYE_MS, undefined, { ref: false })]),
  }
}

/** @throws Error where there is no connection in time; one that comes late goes back to the pool */
async function connected(pool: pg.Pool, withinMs: number): Promise<pg.PoolClient> {
  // one that is idle comes at once: no timer is needed
  if (pool.idleCount > pool.waitingCount) return pool.connect()
  const connecting = pool.connect()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no database connection was free in time')), withinMs)
  try {
    return await Promise.race([connecting, late.promise])
  } catch (error) {
    connecting.then(
      (client) => client.release(),
      () => {},
    )
    throw error
  } finally {
    clearTimeout(timer)
  }
}

interface PatientClient {
  /** Begins a use of the connection, which ends when it is released. */
  lent(): PostgresPoolClient
}

function patientClient(client: pg.PoolClient, limitMs: number): PatientClient {
  let isLent = false
  const release = (destroy = false): void => {
    if (isLent) client.release(destroy)
    isLent = false
  }
  const query = (sql: string, parameters: readonly unknown[]): Promise<pg.QueryResult> =>
    spendPatience(async () => {
      const leftMs = patienceLeft(limitMs)
      if (!isLent || leftMs === 0) throw new Error('the database took too long for the whole request')
      const timer = setTimeout(() => release(true), leftMs)
      try {
        return await client.query(sql, [...parameters])
      } finally {
        clearTimeout(timer)
      }
    })
  // boundary: Kysely's type has an overload for cursors, which nobody here opens, and a narrower list of commands
  const lendable: PostgresPoolClient = { release, query: query as unknown as PostgresPoolClient['query'] }
  return {
    lent() {
      isLent = true
      return lendable
    },
  }
}
