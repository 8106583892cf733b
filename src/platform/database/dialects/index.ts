/**
 * The seam between Latchkey and its databases. To add one: a file beside this that gives a Kysely dialect and the
 * errors worth another try, and one line in `kinds`. The conformance suites in test/ say when it is done.
 */
import { AppError } from '#platform/errors.ts'
import type { DatabaseKind } from './kind.ts'
import { postgres } from './postgres.ts'
import { sqlite } from './sqlite.ts'

const kinds: readonly DatabaseKind[] = [sqlite, postgres]

/** @throws AppError(configuration) for a URL that no dialect takes. The URL itself may hold a password: it is not echoed. */
export function kindOf(url: string): DatabaseKind {
  const kind = kinds.find(({ protocols }) => protocols.some((protocol) => url.startsWith(protocol)))
  if (kind) return kind
  throw new AppError('configuration', 'The URL names no database that Latchkey knows', {
    hint: `Start it with one of: ${kinds.flatMap(({ protocols }) => protocols).join(' ')}`,
  })
}
