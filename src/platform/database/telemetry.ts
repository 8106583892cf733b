import { SpanKind } from '@opentelemetry/api'
import type { CompiledQuery, Dialect, LogEvent } from 'kysely'
import { AppError } from '#platform/errors.ts'
import type { PlatformMetrics, QueryOperation } from '#platform/metrics.ts'
import { addPastSpan } from '#platform/spans.ts'
import type { DatabaseKind } from './dialects/kind.ts'
import type { Shortcut } from './prepared.ts'

export type DatabaseMetrics = Pick<PlatformMetrics, 'queries' | 'databaseErrors'>

const OPERATIONS: Readonly<Partial<Record<CompiledQuery['query']['kind'], QueryOperation>>> = {
  SelectQueryNode: 'select',
  InsertQueryNode: 'insert',
  UpdateQueryNode: 'update',
  DeleteQueryNode: 'delete',
}

/** As OpenTelemetry's conventions for databases spell them. */
const SYSTEM_NAMES: Readonly<Record<DatabaseKind['name'], string>> = { sqlite: 'sqlite', postgres: 'postgresql' }

/** Takes note of each statement once it has ended: how long it took, and whether it failed. Its text goes nowhere. */
export function queryTelemetry(
  kind: DatabaseKind,
  { queries, databaseErrors }: DatabaseMetrics,
): (event: LogEvent) => void {
  return (event) => {
    const operation = OPERATIONS[event.query.query.kind] ?? 'other'
    const { queryDurationMillis: milliseconds } = event
    const error = event.level === 'error' ? event.error : undefined
    queries.observe({ operation }, milliseconds / 1_000)
    if (error !== undefined) count(error, kind, databaseErrors)
    const attributes = { 'db.system.name': SYSTEM_NAMES[kind.name], 'db.operation.name': operation }
    addPastSpan(operation, { kind: SpanKind.CLIENT, attributes, milliseconds, error })
  }
}

/** The same shortcut, whose statements are taken note of, since Kysely does not see them. */
export function noted(shortcut: Shortcut, note: (event: LogEvent) => void): Shortcut {
  return (query) => {
    const startedAt = performance.now()
    const queryDurationMillis = () => performance.now() - startedAt
    return shortcut(query)?.then(
      (result) => {
        note({ level: 'query', query, queryDurationMillis: queryDurationMillis() })
        return result
      },
      (error: unknown) => {
        note({ level: 'error', error, query, queryDurationMillis: queryDurationMillis() })
        throw error
      },
    )
  }
}

/** The same dialect, whose failures to get a connection are counted: no statement is there yet that could fail. */
export function countingFailedConnections(
  dialect: Dialect,
  kind: DatabaseKind,
  { databaseErrors }: DatabaseMetrics,
): Dialect {
  return {
    createDriver() {
      const driver = dialect.createDriver()
      const acquire = driver.acquireConnection.bind(driver)
      driver.acquireConnection = (options) =>
        acquire(options).catch((error: unknown) => {
          count(error, kind, databaseErrors)
          throw error
        })
      return driver
    },
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  }
}

function count(error: unknown, kind: DatabaseKind, errors: DatabaseMetrics['databaseErrors']): void {
  if (error instanceof AppError && error.code === 'unavailable') errors.inc({ reason: 'unavailable' })
  else errors.inc({ reason: kind.isUniqueViolation(error) || kind.isTransient(error) ? 'conflict' : 'other' })
}
