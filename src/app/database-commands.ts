/** `backup`, `restore` and `database`: one database into another. They need no services, and no master key. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { auditStore } from '#core/audit/store.ts'
import { ENDED_BY_A_RESTORE } from '#core/restoring.ts'
import type { CommandGroup, CommandInput, CommandResult } from '#platform/cli.ts'
import { systemClock } from '#platform/clock.ts'
import { backUp } from '#platform/database/backup.ts'
import { copyDatabase, emptyTables, type CopyTables, type RowCounts } from '#platform/database/copy.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { reachable } from '#platform/database/readiness.ts'
import { sqliteFileIn, sqliteUrl } from '#platform/database/sqlite-url.ts'
import { AppError } from '#platform/errors.ts'
import { loadConfig } from './config.ts'
import { MIGRATIONS } from './services.ts'

type Input = CommandInput<undefined>

export const databaseCommands: readonly CommandGroup<undefined>[] = [
  {
    noun: 'backup',
    summary: 'Write a backup of the database, whichever kind it is, into one SQLite file; the server may run.',
    commands: [
      {
        verb: '',
        summary: '',
        arguments: ['<file>'],
        options: [{ flags: '--replace', description: 'take the place of a file that is there' }],
        run: makeBackup,
      },
    ],
  },
  {
    noun: 'restore',
    summary: 'Fill the empty database of DATABASE_URL from a backup; people sign in again, refresh tokens are over.',
    commands: [{ verb: '', summary: '', arguments: ['<file>'], run: restoreBackup }],
  },
  {
    noun: 'database',
    summary: 'Move the database, or end what a restore by other means would let in again.',
    commands: [
      {
        verb: 'copy',
        summary:
          'Copy all of DATABASE_URL into an empty database, and compare the two; goes on where it was interrupted.',
        options: [
          { flags: '--to <url>', description: 'as for DATABASE_URL, but without a password; - reads it from stdin' },
        ],
        run: copyElsewhere,
      },
      {
        verb: 'restored',
        summary: 'After pg_restore or a snapshot: end all sessions, codes, refresh and registration tokens.',
        confirm: () => 'End all sessions, codes, refresh tokens and registration tokens?',
        run: endAll,
      },
    ],
  },
]

async function makeBackup({ args: [name = ''], options, terminal }: Input): Promise<CommandResult> {
  const file = resolve(terminal.callerDir, name)
  const sourceUrl = loadConfig().databaseUrl.reveal()
  const rows = await reading(sourceUrl, (source) =>
    backUp({ ...restoring, source, sourceUrl, file, replace: options['replace'] === true }),
  )
  return { json: { file, rows }, text: `Written to ${file}: ${inWords(rows)}. Keep the master key elsewhere.` }
}

async function restoreBackup({ args: [name = ''], terminal }: Input): Promise<CommandResult> {
  const file = resolve(terminal.callerDir, name)
  const rows = await reading(sqliteUrl(file), (source) =>
    writing(loadConfig().databaseUrl.reveal(), async (target) => {
      const copied = await copyDatabase({ ...restoring, source, target })
      await leaveWord(target)
      return copied
    }),
  )
  return { json: { file, rows }, text: `Restored from ${file}: ${inWords(rows)}. People have to sign in again.` }
}

async function copyElsewhere({ options, terminal }: Input): Promise<CommandResult> {
  const url = await targetUrl(options['to'], terminal)
  const rows = await reading(loadConfig().databaseUrl.reveal(), (source) =>
    writing(url, (target) => copyDatabase({ source, target, migrations: MIGRATIONS, without: [] })),
  )
  return { json: { rows }, text: `Copied and compared: ${inWords(rows)}. Start the server on the new database only.` }
}

async function endAll(): Promise<CommandResult> {
  const rows = await opened(loadConfig().databaseUrl.reveal(), async (database) => {
    await migrate(database, MIGRATIONS)
    const ended = await emptyTables(database, ENDED_BY_A_RESTORE)
    await leaveWord(database)
    return ended
  })
  return { json: { ended: rows }, text: 'All sessions, codes, refresh tokens and registration tokens are over.' }
}

function leaveWord(database: Database<CopyTables>): Promise<void> {
  return auditStore(database.db.withTables()).leaveWordOfRestore(systemClock.now())
}

const restoring = { migrations: MIGRATIONS, without: ENDED_BY_A_RESTORE }

/** Opens a database that has to be there: SQLite would make the file. */
async function reading<T>(url: string, run: (database: Database<CopyTables>) => Promise<T>): Promise<T> {
  const file = sqliteFileIn(url)
  if (url.startsWith('sqlite:') && (file === undefined || !existsSync(file)))
    throw new AppError('not_found', `There is no database ${file ?? 'in memory'} to read.`, {
      hint: 'Check the name of the file, or DATABASE_URL.',
    })
  return opened(url, run)
}

/** Opens a database that outlives this command. */
async function writing<T>(url: string, run: (database: Database<CopyTables>) => Promise<T>): Promise<T> {
  if (url.startsWith('sqlite:') && sqliteFileIn(url) === undefined)
    throw new AppError('invalid_input', 'A database in memory would be gone with this command.', {
      hint: 'Name a file, as in sqlite:data/latchkey.db, or a postgres:// address.',
    })
  return opened(url, run)
}

async function opened<T>(url: string, run: (database: Database<CopyTables>) => Promise<T>): Promise<T> {
  const database = openDatabase<CopyTables>(url, () => {})
  try {
    await reachable(database)
    return await run(database)
  } finally {
    await database.close()
  }
}

async function targetUrl(option: unknown, terminal: Input['terminal']): Promise<string> {
  if (typeof option !== 'string')
    throw new AppError('invalid_input', 'Where to is missing.', { hint: 'Add --to postgres://… or --to sqlite:FILE.' })
  if (option === '-') return (await terminal.readStdin()).trim()
  if (holdsPassword(option))
    throw new AppError('invalid_input', 'A password in an argument can be seen by others on this machine.', {
      hint: 'Leave it out of the URL and give it in PGPASSWORD or ~/.pgpass, or pipe the whole URL: --to -',
    })
  const file = sqliteFileIn(option)
  return file === undefined ? option : sqliteUrl(resolve(terminal.callerDir, file))
}

/** By hand: of the addresses that pg takes, several hosts or none (a socket) are no URL to `URL`. */
function holdsPassword(url: string): boolean {
  const [address = '', search = ''] = url.split('?', 2)
  return /:\/\/[^/]*:[^/]*@/.test(address) || new URLSearchParams(search).has('password')
}

function inWords(rows: RowCounts): string {
  return `${rows['accounts']} people, ${rows['clients']} clients, ${total(rows)} rows in all`
}

function total(rows: RowCounts): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0)
}
