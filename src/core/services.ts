/**
 * What rooms are given. app/services.ts opens all of it and closes it again; tests open the same with a fake clock.
 */
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import type { ClientCertificateRules } from '#platform/http/client-certificate.ts'
import type { Locale } from '#platform/http/language.ts'
import type { Log } from '#platform/log.ts'
import type { Secret } from '#platform/secret.ts'
import type { Accounts } from './accounts/accounts.ts'
import type { Apis } from './apis/apis.ts'
import type { Audit } from './audit/audit.ts'
import type { AuditTrail } from './audit/trail.ts'
import type { ArtifactStore } from './artifacts/store.ts'
import type { ClaimReceipts } from './claim-receipts/claim-receipts.ts'
import type { Clients } from './clients/clients.ts'
import type { Consents } from './consents/consents.ts'
import type { Groups } from './groups/groups.ts'
import type { Guesses } from './guesses/guesses.ts'
import type { LogoutDeliveries } from './logout-deliveries/logout-deliveries.ts'
import type { Metrics } from './metrics.ts'
import type { RegistrationMode } from './registration/mode.ts'
import type { RegistrationTokens } from './registration/registration-tokens.ts'
import type { Secrets } from './secrets.ts'
import type { SigningKeys } from './signing-keys/signing-keys.ts'
import type { PairwiseSubjects } from './subjects/pairwise-subjects.ts'
import type { Tables } from './tables.ts'

/** The settings that the floors below app/ need; app/config.ts gives them. Times in seconds. */
export interface Settings {
  /** No trailing slash; may have a path. */
  readonly issuer: string
  /** Of pages, where nobody asks for another. */
  readonly defaultLocale: Locale
  readonly session: {
    readonly idleSeconds: number
    readonly absoluteSeconds: number
    /** People may have a browser remembered: its session outlasts idleness and the browser's end. */
    readonly offersToRemember: boolean
  }
  readonly tokens: {
    readonly codeSeconds: number
    readonly accessSeconds: number
    readonly idSeconds: number
    readonly refreshSeconds: number
    /** However often it is rotated, a refresh token's line ends this long after the sign-in. */
    readonly refreshAbsoluteSeconds: number
    /** How long a refresh token that was used yields its one successor again; 0 for never. */
    readonly refreshReuseSeconds: number
  }
  readonly keys: { readonly publishAheadSeconds: number }
  /** How long it is kept which client was given which claims; 0 for not at all. */
  readonly claimReceipts: { readonly retentionSeconds: number }
  /** How long the audit is kept. */
  readonly audit: { readonly retentionSeconds: number }
  /** Addresses and CIDRs that outbound requests may reach although private. */
  readonly outbound: { readonly allow: readonly string[] }
  /** How certificates of clients reach the server; `offered` where they do at all. */
  readonly clientCertificates: ClientCertificateRules & { readonly offered: boolean }
  /** Who may register software without an administrator, and how long what is never used is kept. */
  readonly registration: {
    readonly mode: RegistrationMode
    readonly unusedSeconds: number
    /** Hosts of client id metadata documents. */
    readonly documentHosts: readonly string[]
  }
  /** The bearer token of /metrics; without one there is no /metrics. */
  readonly metricsToken: Secret | undefined
}

export interface Services {
  readonly settings: Settings
  readonly database: Database<Tables>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly secrets: Secrets
  readonly audit: Audit
  readonly auditTrail: AuditTrail
  readonly accounts: Accounts
  readonly groups: Groups
  readonly guesses: Guesses
  readonly clients: Clients
  readonly apis: Apis
  readonly registrationTokens: RegistrationTokens
  readonly consents: Consents
  readonly signingKeys: SigningKeys
  readonly pairwiseSubjects: PairwiseSubjects
  readonly artifacts: ArtifactStore
  readonly claimReceipts: ClaimReceipts
  readonly logoutDeliveries: LogoutDeliveries
  /** Why requests cannot be served now, or undefined where they can. */
  readonly readiness: () => Promise<string | undefined>
}
