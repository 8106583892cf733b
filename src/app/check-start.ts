import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { readMasterKey } from '#core/master-key.ts'
import { createAudit } from '#core/audit/audit.ts'
import { createSecrets } from '#core/secrets.ts'
import { createSigningKeys } from '#core/signing-keys/signing-keys.ts'
import { signingKeyStore } from '#core/signing-keys/store.ts'
import type { Tables } from '#core/tables.ts'
import { systemClock } from '#platform/clock.ts'
import { assertWholeCopy } from '#platform/database/copy.ts'
import { assertRunnable, migrationStatus } from '#platform/database/migrate.ts'
import { openDatabase } from '#platform/database/open.ts'
import { reachable } from '#platform/database/readiness.ts'
import { sqliteFileIn } from '#platform/database/sqlite-url.ts'
import { AppError } from '#platform/errors.ts'
import { openLog } from '#platform/log.ts'
import type { Config } from './config.ts'
import { readTls } from './listen.ts'
import { MIGRATIONS } from './services.ts'

/**
 * Everything that a start looks at, without making anything: keys, database, schema, certificate. Whether the port is
 * free is not asked, since the server may be running.
 * @throws AppError(configuration) with the reason that a start would give
 */
export async function checkStart(config: Config): Promise<void> {
  if (config.listen.tls) readTls(config.listen.tls)
  const masterKeys = config.masterKeys?.reveal() ?? [readMasterKey(config.keysDir)].filter((key) => key !== undefined)
  if (masterKeys.length === 0) mustBeWritable(config.keysDir, 'KEYS_DIR')
  const file = sqliteFileIn(config.databaseUrl.reveal())
  if (file !== undefined && !existsSync(file)) mustBeWritable(dirname(file), 'DATABASE_URL')
  else await checkDatabase(config, masterKeys)
}

async function checkDatabase(config: Config, masterKeys: readonly Buffer[]): Promise<void> {
  const database = openDatabase<Tables>(config.databaseUrl.reveal(), () => {})
  try {
    await reachable(database)
    const status = await migrationStatus(database, MIGRATIONS)
    assertRunnable(status)
    if (status.applied.length === 0 || status.pending.length > 0) return
    await assertWholeCopy(database.db.withTables())
    if (masterKeys.length === 0) return
    // opening the signing keys shows that the master key is the one this database was written with
    const needs = { database, secrets: createSecrets(masterKeys), clock: systemClock, log: openLog(config.log) }
    await createSigningKeys({
      ...needs,
      store: signingKeyStore(database.db),
      audit: createAudit(needs),
      settings: config,
    }).load()
  } finally {
    await database.close()
  }
}

function mustBeWritable(folder: string, setting: string): void {
  const existing = existsSync(folder) ? folder : dirname(folder)
  try {
    accessSync(existing, constants.W_OK)
  } catch (cause) {
    throw new AppError('configuration', `${existing} cannot be written to.`, {
      hint: `Make it writable for the user that runs Latchkey, or set ${setting} to another place.`,
      cause,
    })
  }
}
