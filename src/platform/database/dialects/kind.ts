import type { CompiledQuery, Dialect, Kysely, QueryResult } from 'kysely'
import type { UnitsOfDriver } from '../unit.ts'

export interface ConnectionCounts {
  readonly used: number
  readonly idle: number
  /** Queries that wait for a connection. */
  readonly waiting: number
}

export interface CountedDialect extends Dialect {
  /** Where the dialect keeps a pool. */
  connections?(): ConnectionCounts
  /**
   * Runs a statement as Kysely would, in the current unit or alone, without its layers; undefined before Kysely has
   * opened the database.
   */
  run<R>(query: CompiledQuery<R>): Promise<QueryResult<R>> | undefined
}

/** What a database has to tell about itself to be one of ours. */
export interface DatabaseKind {
  readonly name: 'sqlite' | 'postgres'
  /** The first part of the URLs that choose it. */
  readonly protocols: readonly string[]
  /** True where one transaction writes at a time; false where only those wait that write the same rows. */
  readonly writersTakeTurns: boolean
  /**
   * @param units gives those inside a unit its connection
   * @throws AppError(configuration) where the URL cannot be used.
   */
  dialect(url: string, onIdleError: (error: Error) => void, units?: UnitsOfDriver): CountedDialect
  /** Runs what may take long: with no deadline for a statement, where there is one, and with room for what it sorts. */
  unhurried<Tables, R>(db: Kysely<Tables>, url: string, run: (db: Kysely<Tables>) => Promise<R>): Promise<R>
  /** True for an error after which the same transaction, tried again from its start, may succeed. */
  isTransient(error: unknown): boolean
  /** True where a write was refused because a row with the same unique value is there already. */
  isUniqueViolation(error: unknown): boolean
}
