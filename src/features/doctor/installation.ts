/** What the doctor is given to look at: the settings, and as much of what they name as can be opened. */
import type { Secrets } from '#core/secrets.ts'
import type { Settings } from '#core/services.ts'
import type { SigningKey } from '#core/signing-keys/signing-key.ts'
import type { Clock } from '#platform/clock.ts'
import type { AppError } from '#platform/errors.ts'
import type { ClientRisks } from './client-risks.ts'
import type { Seen } from './finding.ts'
import type { DatabaseFacts } from './store.ts'

export interface Installation extends Pick<Settings, 'issuer' | 'metricsToken' | 'clientCertificates' | 'outbound'> {
  readonly listen: { readonly host: string; readonly port: number; readonly tls: unknown }
  readonly trustedProxies: readonly string[]
  /** How many values MASTER_KEY has; 0 where the key is a file. */
  readonly masterKeysGiven: number
  readonly sqliteFile: string | undefined
  readonly clock: Clock
  /** The reason that a start would give for not starting. */
  readonly startProblem: AppError | undefined
  /** Absent where there is no master key that can be read. */
  readonly secrets: Secrets | undefined
  readonly stored: Stored
}

/** What the database tells, each by itself: keys and clients are read only where all migrations have run. */
export interface Stored {
  readonly database: Seen<DatabaseFacts>
  /** Names of those that have not run. */
  readonly pending: Seen<readonly string[]>
  readonly keys: Seen<readonly SigningKey[]>
  readonly clients: Seen<ClientRisks>
}
