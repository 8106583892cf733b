/**
 * Opens everything that rooms are given, and closes it again. The server, the command line and the tests all come
 * through here; they differ in the config, the clock and the log.
 */
import { join } from 'node:path'
import { createAccounts } from '#core/accounts/accounts.ts'
import { createPasswords } from '#core/accounts/passwords.ts'
import { createAudit } from '#core/audit/audit.ts'
import { createAuditTrail } from '#core/audit/trail.ts'
import { createApis } from '#core/apis/apis.ts'
import { artifactStore } from '#core/artifacts/store.ts'
import { createClaimReceipts } from '#core/claim-receipts/claim-receipts.ts'
import { claimReceiptStore } from '#core/claim-receipts/store.ts'
import { createClients } from '#core/clients/clients.ts'
import { withOwnClient } from '#core/clients/own-client.ts'
import { rememberClients } from '#core/clients/remembered-clients.ts'
import { createConsents } from '#core/consents/consents.ts'
import { createGroups } from '#core/groups/groups.ts'
import { createGuesses } from '#core/guesses/guesses.ts'
import { createLogoutDeliveries } from '#core/logout-deliveries/logout-deliveries.ts'
import { loadMasterKey } from '#core/master-key.ts'
import { createMetrics, sampleLoad, type Metrics } from '#core/metrics.ts'
import { createRegistrationTokens } from '#core/registration/registration-tokens.ts'
import { recordRestore } from '#core/restoring.ts'
import { createSecrets } from '#core/secrets.ts'
import type { Services } from '#core/services.ts'
import { createSigningKeys } from '#core/signing-keys/signing-keys.ts'
import { signingKeyStore } from '#core/signing-keys/store.ts'
import { createPairwiseSubjects } from '#core/subjects/pairwise-subjects.ts'
import { installationSecretStore } from '#core/subjects/store.ts'
import type { Tables } from '#core/tables.ts'
import { metadataValidator } from '#oidc/client-metadata.ts'
import { systemClock, type Clock } from '#platform/clock.ts'
import { assertWholeCopy } from '#platform/database/copy.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { openLog, type Log } from '#platform/log.ts'
import { ROOT, type Config } from './config.ts'
import { databaseProblem, reachable } from '#platform/database/readiness.ts'

export const MIGRATIONS = join(ROOT, 'migrations')

export interface OpenServices {
  readonly services: Services
  /** From now on /readyz says no, so that a load balancer sends nobody new. */
  beginDraining(): void
  close(): Promise<void>
}

export interface Surroundings {
  readonly clock?: Clock
  readonly log?: Log
  readonly metrics?: Metrics
}

/**
 * Opens the database, brings its schema up to date, and makes what a first start makes: the master key and the first
 * signing keys.
 * @throws AppError(configuration) where a file, the database or a key cannot be used
 */
export async function openServices(
  config: Config,
  { clock = systemClock, log = openLog(config.log), metrics = createMetrics() }: Surroundings = {},
): Promise<OpenServices> {
  const secrets = createSecrets(config.masterKeys?.reveal() ?? [loadMasterKey(config.keysDir)])
  const database = openDatabase<Tables>(
    config.databaseUrl.reveal(),
    (error) => log.warn({ err: error }, 'an idle database connection broke'),
    metrics,
  )
  const state = { draining: false }
  try {
    await reachable(database)
    const ran = await migrate(database, MIGRATIONS)
    if (ran.length > 0) log.info({ migrations: ran }, 'the database schema was brought up to date')
    await assertWholeCopy(database.db.withTables())
    const services = assemble({ config, database, secrets, clock, log, state, metrics })
    await services.signingKeys.ensure()
    await recordRestore(database.db, services.audit)
    return { services, beginDraining: () => void (state.draining = true), close: () => closeAll(services) }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** What was promised to be stored is stored first. */
async function closeAll({ audit, claimReceipts, database }: Services): Promise<void> {
  await audit.close()
  await claimReceipts.close()
  await database.close()
}

interface Parts {
  readonly config: Config
  readonly database: Database<Tables>
  readonly secrets: Services['secrets']
  readonly clock: Clock
  readonly log: Log
  readonly state: { readonly draining: boolean }
  readonly metrics: Metrics
}

function assemble({ config, database, secrets, clock, log, state, metrics }: Parts): Services {
  const passwords = createPasswords({
    slots: config.passwordHashSlots,
    observe: (seconds) => metrics.passwordHashes.observe(seconds),
  })
  sampleLoad(metrics, { passwords, database })
  const audit = createAudit({ database, secrets, clock, log })
  const guesses = createGuesses({ database, secrets, clock, audit, log })
  const accounts = createAccounts({ database, passwords, guesses, secrets, clock, audit })
  const apis = createApis({ database, clock, audit, enableSigningKeys: (algorithms) => signingKeys.enable(algorithms) })
  const signingKeys = createSigningKeys({
    store: signingKeyStore(database.db),
    secrets,
    clock,
    audit,
    settings: config,
    longestTokenSeconds: async () => Math.max(0, ...(await apis.list()).map((api) => api.accessTokenSeconds ?? 0)),
  })
  const clients = createClients({
    database,
    secrets,
    clock,
    audit,
    metadataValidator: metadataValidator({ settings: config, metrics, signingKeys, apis }),
    enableSigningKeys: (algorithms) => signingKeys.enable(algorithms),
  })
  return {
    settings: config,
    database,
    clock,
    log,
    metrics,
    secrets,
    audit,
    auditTrail: createAuditTrail({ database, secrets, clock, accounts, settings: config }),
    accounts,
    guesses,
    groups: createGroups({ database, clock, accounts, audit }),
    clients: withOwnClient(rememberClients(clients, clock), config.issuer),
    apis,
    registrationTokens: createRegistrationTokens({ database, clock, audit }),
    consents: createConsents({ database, audit, clock }),
    signingKeys,
    pairwiseSubjects: createPairwiseSubjects({ store: installationSecretStore(database), secrets, clock }),
    artifacts: artifactStore(database.db),
    claimReceipts: createClaimReceipts({
      store: claimReceiptStore(database.db),
      whenStored: database.whenStored,
      accounts,
      clock,
      log,
      settings: config,
    }),
    logoutDeliveries: createLogoutDeliveries({ database, clock }),
    readiness: async () => (state.draining ? 'the server is closing' : databaseProblem(database, MIGRATIONS)),
  }
}
