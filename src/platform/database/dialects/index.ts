/**
 * The seam between Latchkey and its databases. To add one: a file beside this that gives a Kysely dialect and the
 * errors worth another try, and one line in `kinds`. The conformance suites in test/ say when it is done.
 */
import type { Dialect } from 'kysely'
import { AppError } from '#platform/errors.ts'
import { postgres } from './postgres.ts'
import { sqlite } from './sqlite.ts'

export interface DatabaseKind {
  readonly name: 'sqlite' | 'postgres'
  /** The first part of the URLs that choose it. */
  readonly protocols: readonly string[]
  /** @throws AppError(configuration) where the URL cannot be used. */
  dialect(url: string, onIdleError: (error: Error) => void): Dialect
  /** True for an error after which the same transaction, tried again from its start, may succeed. */
  isTransient(error: unknown): boolean
  /** True where a write was refused because a row with the same unique value is there already. */
  isUniqueViolation(error: unknown): boolean
}

const kinds: readonly DatabaseKind[] = [sqlite, postgres]

/** @throws AppError(configuration) for a URL that no dialect takes. The URL itself may hold a password: it is not echoed. */
export function kindOf(url: string): DatabaseKind {
  const kind = kinds.find(({ protocols }) => protocols.some((protocol) => url.startsWith(protocol)))
  if (kind) return kind
  throw new AppError('configuration', 'DATABASE_URL names no database that Latchkey knows', {
    hint: `Start it with one of: ${kinds.flatMap(({ protocols }) => protocols).join(' ')}`,
  })
}
