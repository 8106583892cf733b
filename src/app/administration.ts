/** The commands of the house itself, which run where no services can be opened (yet). */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tables } from '#core/tables.ts'
import type { CommandGroup, CommandResult } from '#platform/cli.ts'
import { assertRunnable, migrate, migrationStatus } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import { checkStart } from './check-start.ts'
import { configurationPage, envExample } from './config-docs.ts'
import { loadConfig, ROOT } from './config.ts'
import { databaseCommands } from './database-commands.ts'
import { doctorCommand } from './doctor.ts'
import { reachable } from '#platform/database/readiness.ts'
import { MIGRATIONS } from './services.ts'

export const administration: readonly CommandGroup<undefined>[] = [
  {
    noun: 'migrate',
    summary: 'Bring the database schema up to date; every start of the server does so, too.',
    commands: [
      {
        verb: '',
        summary: '',
        options: [{ flags: '--status', description: 'only tell what has run and what has not' }],
        run: ({ options }) => withDatabase(options['status'] === true ? tellStatus : runMigrations),
      },
    ],
  },
  {
    noun: 'config',
    summary: 'Check the settings, and make their documentation.',
    commands: [
      {
        verb: 'check',
        summary: 'Tell what would keep the server from starting; exit 78 if anything would.',
        run: checkConfig,
      },
      {
        verb: 'docs',
        summary: 'Write .env.example and docs/configuration.md from the table of settings.',
        options: [{ flags: '--check', description: 'write nothing; fail if they are stale' }],
        run: async ({ options }) => writeDocs(options['check'] === true),
      },
    ],
  },
  ...databaseCommands,
  doctorCommand,
]

async function withDatabase(run: (database: Database<Tables>) => Promise<CommandResult>): Promise<CommandResult> {
  const database = openDatabase<Tables>(loadConfig().databaseUrl.reveal(), () => {})
  try {
    await reachable(database)
    return await run(database)
  } finally {
    await database.close()
  }
}

async function runMigrations(database: Database<Tables>): Promise<CommandResult> {
  const applied = await migrate(database, MIGRATIONS)
  return {
    json: { applied },
    text: applied.length === 0 ? 'The schema is up to date.' : applied.map((name) => `applied ${name}`).join('\n'),
  }
}

async function tellStatus(database: Database<Tables>): Promise<CommandResult> {
  const status = await migrationStatus(database, MIGRATIONS)
  assertRunnable(status)
  const lines = [
    ...status.applied.map((name) => `applied  ${name}${status.foreign.includes(name) ? '  (by a newer release)' : ''}`),
    ...status.pending.map((name) => `pending  ${name}`),
  ]
  return { json: status, text: lines.join('\n') }
}

async function checkConfig(): Promise<CommandResult> {
  const config = loadConfig()
  await checkStart(config)
  return {
    json: { status: 'ok', issuer: config.issuer },
    text: `The settings are fine. The server would start as ${config.issuer}.`,
  }
}

const DOCUMENTS = [
  { path: '.env.example', content: envExample },
  { path: join('docs', 'configuration.md'), content: configurationPage },
]

function writeDocs(onlyCheck: boolean): CommandResult {
  const stale = DOCUMENTS.filter(({ path, content }) => currentText(path) !== content())
  if (onlyCheck && stale.length > 0) {
    throw new AppError('conflict', `Stale: ${stale.map(({ path }) => path).join(', ')}.`, {
      hint: 'Run: npx latchkey config docs',
    })
  }
  if (!onlyCheck) for (const { path, content } of stale) writeFileSync(join(ROOT, path), content())
  return {
    json: { written: onlyCheck ? [] : stale.map(({ path }) => path) },
    text: stale.length === 0 ? 'Up to date.' : stale.map(({ path }) => `wrote ${path}`).join('\n'),
  }
}

function currentText(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8')
  } catch {
    return undefined
  }
}
