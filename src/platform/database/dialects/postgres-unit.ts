import {
  isAbortedTransactionError,
  ValuesNode,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from 'kysely'
import { AppError } from '#platform/errors.ts'
import { notStored, type UnitConnection } from '../unit.ts'

/**
 * A unit as a transaction on one connection of the pool, taken at the first write: what is read before goes the ordinary
 * way, so a client that is slow to authenticate keeps no transaction open. The statements of a unit run one after the
 * other, and at no moment does it hold two connections. A write whose outcome is known before waits for what comes after
 * it: where nothing does, as for a client credentials token, it is sent alone, one round trip in place of three.
 */
export function postgresUnit(driver: Driver): UnitConnection {
  let transaction: DatabaseConnection | undefined
  let waiting: CompiledQuery | undefined
  let over = false
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = <R>(run: () => Promise<R>): Promise<R> => {
    const result = last.then(run)
    last = result.catch(() => {})
    return result
  }

  const execute = async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    if (over) throw notStored()
    if (!waiting && !transaction && isRead(query)) return alone(driver, query)
    if (!waiting && !transaction && isUpsertOfOne(query)) {
      waiting = query
      return { numAffectedRows: 1n, rows: [] }
    }
    transaction ??= await begun()
    if (waiting) await transaction.executeQuery(waiting)
    waiting = undefined
    return transaction.executeQuery<R>(query)
  }

  const begun = async (): Promise<DatabaseConnection> => {
    const connection = await driver.acquireConnection()
    try {
      await driver.beginTransaction(connection, {})
      return connection
    } catch (error) {
      await driver.releaseConnection(connection)
      throw error
    }
  }

  const ended = async (end: (connection: DatabaseConnection) => Promise<void>): Promise<void> => {
    over = true
    if (!transaction) return
    try {
      await end(transaction)
    } finally {
      await driver.releaseConnection(transaction)
    }
  }

  const stored = async (): Promise<void> => {
    if (!waiting || over) return ended(commit)
    over = true
    await alone(driver, waiting).catch((error: unknown) => {
      throw error instanceof AppError ? error : notStored(error)
    })
  }

  const commit = async (connection: DatabaseConnection): Promise<void> => {
    try {
      await driver.commitTransaction(connection)
    } catch (error) {
      // what the server rolled back is over; a connection that did not answer is not to be used again
      if (!isAbortedTransactionError(error)) await rollback(connection)
      throw error instanceof AppError ? error : notStored(error)
    }
  }

  // a connection that cannot even roll back is closed by the pool, and the server forgets what stood in it
  const rollback = (connection: DatabaseConnection): Promise<void> =>
    driver.rollbackTransaction(connection).catch(() => {})

  return {
    executeQuery: (query) => inTurn(() => execute(query)),
    async *streamQuery(): AsyncIterableIterator<never> {
      throw new Error('streaming is not used in a unit: read in pages')
    },
    commit: () => inTurn(stored),
    rollback: () => inTurn(() => ended(rollback)),
  }
}

/** Runs a statement on a connection of its own. */
export async function alone<R>(driver: Driver, query: CompiledQuery): Promise<QueryResult<R>> {
  const connection = await driver.acquireConnection()
  try {
    return await connection.executeQuery<R>(query)
  } finally {
    await driver.releaseConnection(connection)
  }
}

/** Takes no lock and writes nothing in a part of it. */
function isRead({ query }: CompiledQuery): boolean {
  return query.kind === 'SelectQueryNode' && query.with === undefined && (query.endModifiers ?? []).length === 0
}

/** Writes one row whatever is there, and gives nothing back. */
function isUpsertOfOne({ query }: CompiledQuery): boolean {
  if (query.kind !== 'InsertQueryNode' || query.returning !== undefined || query.with !== undefined) return false
  const { onConflict, values } = query
  const always = onConflict?.updates !== undefined && onConflict.updateWhere === undefined
  return always && values !== undefined && ValuesNode.is(values) && values.values.length === 1
}
