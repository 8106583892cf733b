/**
 * One timeline of migrations for every database. All that is pending runs in one transaction under a lock of the
 * database itself (`begin immediate` on SQLite, a locked row on PostgreSQL): a process that is killed leaves nothing
 * behind, and of several that start at once one migrates while the others wait.
 *
 * A release may add to the schema ("expand") and, a release later, take away ("contract", a word in the file's
 * name). Older code runs on a newer schema as long as nothing was taken away.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql, type Kysely, type TableMetadata } from 'kysely'
import { Migrator, type Migration, type MigrationProvider } from 'kysely/migration'
import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import type { Database } from './open.ts'

export interface MigrationStatus {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Applied by a newer release, unknown to this one. */
  readonly foreign: readonly string[]
}

type Migrated<T> = Pick<Database<T>, 'db' | 'kind' | 'unhurried'>

const PATIENCE_MS = 60_000

/**
 * Brings the schema up to date and returns the names of the migrations that ran.
 * @throws AppError(configuration) where the schema is one this code cannot run on; AppError(unavailable) where the lock
 * was not had in a minute.
 */
export async function migrate<T>(database: Migrated<T>, folder: string): Promise<readonly string[]> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await migrateOnce(database, folder)
    } catch (error) {
      if (!database.kind.isTransient(error) || performance.now() > giveUpAt)
        throw database.kind.isUniqueViolation(error) ? contradictsItself(error) : error
      await sleep(50 + Math.random() * 100)
    }
  }
}

/**
 * What has run, what has not, and what this code does not know. Changes nothing.
 * @throws AppError(configuration) for a database that holds something else
 */
export async function migrationStatus<T>({ db }: Pick<Database<T>, 'db'>, folder: string): Promise<MigrationStatus> {
  const known = await migrationNames(folder)
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  const isOurs = tables.some(({ name }) => name === 'kysely_migration')
  if (!isOurs) mustBeEmpty(tables)
  const applied = isOurs ? await appliedNames(db) : []
  return {
    applied,
    pending: known.filter((name) => !applied.includes(name)),
    foreign: applied.filter((name) => !known.includes(name)),
  }
}

/** @throws AppError(configuration) if a newer release took something away that this code needs. */
export function assertRunnable({ foreign }: MigrationStatus): void {
  const contracted = foreign.find((name) => name.includes('contract'))
  if (contracted === undefined) return
  throw new AppError(
    'configuration',
    `The database was changed by a newer release (${contracted}) in a way this release cannot run on.`,
    {
      hint: 'Start the newer release again, or restore the backup that was made before the upgrade.',
    },
  )
}

function contradictsItself(cause: unknown): AppError {
  return new AppError(
    'configuration',
    'The database cannot be brought up to date: what a step adds is there already.',
    {
      hint: 'It may be damaged: keep it as it is, and restore the newest backup: docs/operations.md.',
      cause,
    },
  )
}

/** Outside of PostgreSQL's own schema `public` a database's tools may keep what they like. */
function mustBeEmpty(tables: readonly TableMetadata[]): void {
  const stranger = tables.find(({ schema = 'public' }) => schema === 'public')
  if (stranger === undefined) return
  throw new AppError('configuration', `The database is not Latchkey's: it holds a table ${stranger.name}.`, {
    hint: 'Let DATABASE_URL name an empty database, or the one that Latchkey made. Nothing was changed in this one.',
  })
}

async function migrateOnce<T>(database: Migrated<T>, folder: string): Promise<readonly string[]> {
  const status = await migrationStatus(database, folder)
  assertRunnable(status)
  if (status.pending.length === 0) return []
  return database.unhurried((db) =>
    db.transaction().execute(async (transaction) => {
      await claimFirstStart(transaction)
      const migrator = new Migrator({
        db: transaction,
        provider: folderProvider(folder, status.foreign),
        allowUnorderedMigrations: true,
      })
      const { error, results = [] } = await migrator.migrateToLatest()
      if (error !== undefined) throw error
      return results.map(({ migrationName }) => migrationName)
    }),
  )
}

/**
 * Kysely makes its tables and, where that fails, asks whether somebody else has: inside a transaction that is aborted
 * by then. So the first of them is made here, where the loser of a race hears what happened and tries again.
 */
async function claimFirstStart<T>(db: Kysely<T>): Promise<void> {
  await db.schema
    .createTable('kysely_migration')
    .ifNotExists()
    .addColumn('name', 'varchar(255)', (column) => column.notNull().primaryKey())
    .addColumn('timestamp', 'varchar(255)', (column) => column.notNull())
    .execute()
}

async function appliedNames<T>(db: Database<T>['db']): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return rows.map(({ name }) => name)
}

async function migrationNames(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  return files
    .filter((file) => /^\d{4}_[\w-]+\.ts$/.test(file))
    .map((file) => file.slice(0, -'.ts'.length))
    .toSorted()
}

const migrationModule = z.object({ up: z.custom<Migration['up']>((value) => typeof value === 'function') })

/** Kysely's own provider logs and guesses at file endings; ours takes `NNNN_name.ts` and nothing else. */
function folderProvider(folder: string, foreign: readonly string[]): MigrationProvider {
  return {
    async getMigrations() {
      const migrations: Record<string, Migration> = {}
      for (const name of await migrationNames(folder)) {
        migrations[name] = migrationModule.parse(await import(pathToFileURL(join(folder, `${name}.ts`)).href))
      }
      // a newer release's step has run already: Kysely only has to know its name
      for (const name of foreign) migrations[name] = { up: async () => {} }
      return migrations
    },
  }
}
