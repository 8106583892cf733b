import { sql } from 'kysely'
import { AppError } from '#platform/errors.ts'
import { assertRunnable, migrationStatus } from './migrate.ts'
import type { Database } from './open.ts'

/**
 * @throws AppError(configuration) where the database does not answer; a reason never echoes the URL, which may hold a
 * password
 */
export async function reachable<T>({ db, kind }: Database<T>): Promise<void> {
  try {
    await sql`select 1`.execute(db)
  } catch (error) {
    // at a start there is nobody to try again: what is away now is a matter for the operator
    const cause = error instanceof AppError && error.code === 'unavailable' ? error.cause : error
    if (cause instanceof AppError) throw cause
    throw new AppError('configuration', `The ${kind.name} database cannot be reached: ${reasonOf(cause)}.`, {
      hint: 'Check DATABASE_URL, and that the database runs and lets this server in.',
      cause,
    })
  }
}

/** Why the database cannot serve requests now, for /readyz; undefined where it can. */
export async function databaseProblem<T>(database: Database<T>, migrations: string): Promise<string | undefined> {
  try {
    const status = await migrationStatus(database, migrations)
    assertRunnable(status)
    return status.pending.length > 0 ? 'the database schema is not up to date' : undefined
  } catch (error) {
    return error instanceof AppError && error.code === 'configuration' ? error.message : 'the database does not answer'
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
