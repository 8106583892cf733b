import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readMasterKey } from '#core/master-key.ts'
import { createSecrets, type Secrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import { doctorCommands } from '#features/doctor/commands.ts'
import { lookInside, unread } from '#features/doctor/inside.ts'
import type { Installation, Stored } from '#features/doctor/installation.ts'
import { systemClock } from '#platform/clock.ts'
import { openDatabase } from '#platform/database/open.ts'
import { sqliteFileIn } from '#platform/database/sqlite-url.ts'
import { AppError } from '#platform/errors.ts'
import { checkStart } from './check-start.ts'
import { loadConfig, ROOT, type Config } from './config.ts'
import { MIGRATIONS } from './services.ts'

/** The doctor opens what it can, and makes nothing: it is asked when a start may not be possible. */
export const doctorCommand = doctorCommands({ installation, proxyFiles: join(ROOT, 'deploy', 'proxy') })

async function installation(): Promise<Installation> {
  const config = loadConfig()
  // stdout is the product
  const startProblem = await refusalOf(() => checkStart({ ...config, log: { level: 'silent', format: 'pretty' } }))
  const secrets = secretsOf(config)
  const sqliteFile = sqliteFileIn(config.databaseUrl.reveal())
  const isThere = sqliteFile === undefined || existsSync(sqliteFile)
  return {
    ...config,
    masterKeysGiven: config.masterKeys?.reveal().length ?? 0,
    sqliteFile,
    clock: systemClock,
    startProblem,
    secrets,
    stored: isThere ? await storedIn(config) : unread('there is no database yet; the first start makes it'),
  }
}

async function refusalOf(run: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

function secretsOf({ masterKeys, keysDir }: Config): Secrets | undefined {
  try {
    const keys = masterKeys?.reveal() ?? [readMasterKey(keysDir)].filter((key) => key !== undefined)
    return keys.length === 0 ? undefined : createSecrets(keys)
  } catch (error) {
    // checkStart has told why
    if (error instanceof AppError) return undefined
    throw error
  }
}

async function storedIn(config: Config): Promise<Stored> {
  const database = openDatabase<Tables>(config.databaseUrl.reveal(), () => {})
  try {
    return await lookInside({ ...config, database, migrations: MIGRATIONS, clock: systemClock })
  } finally {
    await database.close()
  }
}
