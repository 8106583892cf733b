import { Kysely } from 'kysely'
import { kindOf } from './dialects/index.ts'
import type { ConnectionCounts, DatabaseKind } from './dialects/kind.ts'
import { takeShortcut } from './prepared.ts'
import { countingFailedConnections, noted, queryTelemetry, type DatabaseMetrics } from './telemetry.ts'
import { openUnits, type Units } from './unit.ts'

export interface Database<Tables> extends Units {
  readonly db: Kysely<Tables>
  readonly kind: DatabaseKind
  /** Runs what may take long, such as a migration of a big table: no statement in it has a deadline. */
  unhurried<R>(run: (db: Kysely<Tables>) => Promise<R>): Promise<R>
  /** How many connections there are now; absent where there is no pool. */
  readonly connections?: (() => ConnectionCounts) | undefined
  close(): Promise<void>
}

/**
 * Opens the database that the URL names. The connection itself is made by the first query.
 * @param onIdleError told of connections that broke while unused; they are replaced by themselves
 * @param metrics where each statement is counted; the command line counts none
 * @throws AppError(configuration) for a URL of no known kind
 */
export function openDatabase<Tables>(
  url: string,
  onIdleError: (error: Error) => void,
  metrics?: DatabaseMetrics,
): Database<Tables> {
  const kind = kindOf(url)
  const units = openUnits(kind.writersTakeTurns)
  const dialect = kind.dialect(url, onIdleError, units)
  const note = metrics && queryTelemetry(kind, metrics)
  const db = new Kysely<Tables>(
    note ? { dialect: countingFailedConnections(dialect, kind, metrics), log: note } : { dialect },
  )
  const run = dialect.run.bind(dialect)
  takeShortcut(db, note ? noted(run, note) : run)
  return {
    ...units,
    db,
    kind,
    unhurried: (run) => kind.unhurried(db, url, run),
    connections: dialect.connections?.bind(dialect),
    close: () => db.destroy(),
  }
}
