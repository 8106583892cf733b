/**
 * Every row of the database, on one page. Portable types only: text, integers (booleans are 0 and 1), JSON as text,
 * times as whole seconds since the epoch. The DDL stands in migrations/, and nowhere else.
 */

/** people */
export interface AccountRow {
  id: string
  username: string | null
  /** the user name as it is compared: NFKC, lower case */
  username_key: string | null
  email: string | null
  email_key: string | null
  email_verified: number
  password_hash: string | null
  name: string | null
  given_name: string | null
  family_name: string | null
  /** the other standard claims that are set (OpenID Connect Core 1.0 §5.1), JSON */
  claims: string
  /** claims under names of one's own, JSON */
  custom_claims: string
  admin: number
  disabled_at: number | null
  password_changed_at: number | null
  created_at: number
  updated_at: number
}

export interface GroupRow {
  id: string
  name: string
  created_at: number
}

export interface GroupMemberRow {
  group_id: string
  account_id: string
}

/** relying parties */
export interface ClientRow {
  id: string
  name: string
  type: string
  /** registered metadata in its RFC 7591 spelling, without the columns of this table, JSON */
  metadata: string
  sealed_secret: string | null
  /** the secret before the last rotation, while it still holds */
  sealed_previous_secret: string | null
  previous_secret_expires_at: number | null
  first_party: number
  assignment: string
  require_pkce: number
  id_token_claims: string
  refresh_tokens: string
  /** claims beyond those of its scopes: a JSON array of rules */
  claims: string
  /** who says what it is: see core/clients/client.ts */
  origin: string
  /** the token that it registered itself with, if there was one */
  registration_token_id: string | null
  /** the security profile that is demanded of it */
  profile: string
  disabled_at: number | null
  secret_rotated_at: number | null
  created_at: number
  updated_at: number
}

/** the groups that a client with assignment "groups" is open to */
export interface ClientGroupRow {
  client_id: string
  group_id: string
}

/** what lets software register itself (an initial access token, RFC 7591 §3) */
export interface RegistrationTokenRow {
  id: string
  digest: string
  name: string
  /** what may be registered with it, JSON */
  bounds: string
  uses_left: number
  uses: number
  expires_at: number
  revoked_at: number | null
  created_at: number
}

/** what a person allowed a client, remembered across sessions */
export interface ConsentRow {
  account_id: string
  client_id: string
  /** JSON arrays of strings */
  scopes: string
  claims: string
  /** scopes at APIs, by the API's identifier, JSON */
  resources: string
  granted_at: number
  updated_at: number
}

/** APIs that access tokens are issued for */
export interface ApiRow {
  identifier: string
  name: string
  /** JSON array of strings */
  scopes: string
  /** JSON array of { type, title, members } */
  detail_types: string
  format: string
  /** null: the server's own lifetime */
  access_token_seconds: number | null
  signing_alg: string
  assignment: string
  created_at: number
  updated_at: number
}

/** what a client may do with an API: "call" it, where its assignment is "clients", or "introspect" its tokens */
export interface ApiClientRow {
  api: string
  client_id: string
  may: string
}

/** which client was given which claims of a person, and when */
export interface ClaimReceiptRow {
  /** begins with the time, so that receipts are in their order */
  id: string
  at: number
  account_id: string
  client_id: string
  /** where they stood: id_token or userinfo */
  place: string
  /** names, never values: a JSON array */
  claims: string
}

/** what happened, and who was refused what: a row is written once, and sealed once */
export interface AuditEventRow {
  /** begins with the time */
  id: string
  at: number
  type: string
  /** who did it: a kind, see core/audit/event.ts */
  actor: string
  account_id: string | null
  client_id: string | null
  address: string | null
  /** the id of the request; of a refusal, the error id that was told */
  request_id: string | null
  rule: string | null
  /** JSON */
  facts: string
  /** keyed digest over all of the above */
  proof: string
  /** 1, 2, 3 … once it is sealed */
  sequence: number | null
  /** keyed digest over sequence, proof and the hash before */
  hash: string | null
}

/** where the chain of sealed events begins (what is before was deleted) and ends; and word of a restore that is not on record yet */
export interface AuditMarkRow {
  name: string
  sequence: number
  hash: string
  /** of the beginning: nothing behind it is as old as this; of a restore, its time; null where the chain ends */
  at: number | null
  /** keyed digest over the rest */
  proof: string
}

/** keys that sign tokens; the state of a key follows from its times */
export interface SigningKeyRow {
  kid: string
  alg: string
  /** 1, 2, 3 … for each algorithm; unique, so that of two rotations at once one wins */
  sequence: number
  public_jwk: string
  /** null once the key is gone */
  sealed_private_jwk: string | null
  created_at: number
  activates_at: number
  retires_at: number | null
  /** it left the JWKS; null for rows of the first releases, which are published until they are gone */
  unpublished_at: number | null
  gone_at: number | null
}

/** every model of the protocol library but Client: codes, tokens, grants, sessions, interactions … */
export interface ArtifactRow {
  /** digest over model and id: a bearer value is never stored */
  id: string
  model: string
  /** JSON; sealed for the models that carry bearer values of their own */
  payload: string
  grant_id: string | null
  account_id: string | null
  client_id: string | null
  session_uid: string | null
  /** keyed digest of a device flow's user code */
  user_code: string | null
  expires_at: number | null
  consumed_at: number | null
  /** when a client asked last whether the person had answered, and how long it has to wait between two such questions */
  polled_at: number | null
  poll_interval_seconds: number | null
}

/** attempts at what can be guessed */
export interface AttemptCounterRow {
  key: string
  count: number
  expires_at: number
}

/** the clients of a session that are told when it ends, and under which sid they know it */
export interface SessionClientRow {
  session_uid: string
  client_id: string
  sid: string
  account_id: string
  created_at: number
}

/** one logout token that a client is owed, and what came of sending it */
export interface LogoutDeliveryRow {
  id: string
  session_uid: string
  client_id: string
  account_id: string
  /** null for a client that ends all sessions of the person */
  sid: string | null
  attempts: number
  /** null once it is delivered or given up */
  next_attempt_at: number | null
  last_status: number | null
  last_error: string | null
  created_at: number
  delivered_at: number | null
  given_up_at: number | null
}

/** what was made once for the whole installation, such as the key of pairwise subjects */
export interface InstallationSecretRow {
  name: string
  sealed_value: string
  created_at: number
}

/** who may run a job now */
export interface LeaseRow {
  name: string
  holder: string
  expires_at: number
}

/** how much of each table has arrived, while the database is being filled from another one; else there are no rows */
export interface CopyProgressRow {
  table_name: string
  rows: number
}

export interface Tables {
  accounts: AccountRow
  groups: GroupRow
  group_members: GroupMemberRow
  clients: ClientRow
  client_groups: ClientGroupRow
  registration_tokens: RegistrationTokenRow
  consents: ConsentRow
  apis: ApiRow
  api_clients: ApiClientRow
  claim_receipts: ClaimReceiptRow
  audit_events: AuditEventRow
  audit_marks: AuditMarkRow
  signing_keys: SigningKeyRow
  artifacts: ArtifactRow
  session_clients: SessionClientRow
  logout_deliveries: LogoutDeliveryRow
  attempt_counters: AttemptCounterRow
  installation_secrets: InstallationSecretRow
  leases: LeaseRow
  copy_progress: CopyProgressRow
}
