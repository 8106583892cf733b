// Fills the tables beforehand (`--rows`), in bulk: what a large installation's indexes are like is all that matters.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Insertable, Kysely } from 'kysely'
import type { Services } from '#core/services.ts'
import type { AccountRow, ArtifactRow, ClientRow, Tables } from '#core/tables.ts'
import { artifactKey } from '#oidc/adapter.ts'

/** An insert of so many rows stays under the number of parameters that either database takes. */
const ROWS_AN_INSERT = 500
const INSERTS_A_TRANSACTION = 20
const DAY = 86_400

/** So many people, and for each a client, a grant, an access token and a refresh token that live for a day. */
export async function seedRows({ database: { db }, clock }: Services, rows: number): Promise<void> {
  const step = ROWS_AN_INSERT * INSERTS_A_TRANSACTION
  for (let first = 0; first < rows; first += step)
    await db.transaction().execute(async (transaction) => {
      for (let from = first; from < Math.min(first + step, rows); from += ROWS_AN_INSERT)
        await insert(transaction, Math.min(ROWS_AN_INSERT, rows - from), clock.now())
    })
}

async function insert(db: Kysely<Tables>, count: number, now: number): Promise<void> {
  const owners = Array.from({ length: count }, () => ({ accountId: randomUUID(), clientId: randomUUID() }))
  await db
    .insertInto('accounts')
    .values(owners.map(({ accountId }) => person(accountId, now)))
    .execute()
  await db
    .insertInto('clients')
    .values(owners.map(({ clientId }) => client(clientId, now)))
    .execute()
  for (const model of ['Grant', 'AccessToken', 'RefreshToken'])
    await db
      .insertInto('artifacts')
      .values(owners.map((owner) => artifact(model, owner, now)))
      .execute()
}

function person(id: string, now: number): Insertable<AccountRow> {
  return {
    id,
    username: id,
    username_key: id,
    email: `${id}@example.com`,
    email_key: `${id}@example.com`,
    email_verified: 1,
    password_hash: null,
    name: null,
    given_name: 'Ada',
    family_name: 'Byron',
    claims: '{}',
    custom_claims: '{}',
    admin: 0,
    disabled_at: null,
    password_changed_at: null,
    created_at: now,
    updated_at: now,
  }
}

function client(id: string, now: number): Insertable<ClientRow> {
  return {
    id,
    name: 'Seeded',
    type: 'spa',
    metadata: '{"redirect_uris":["http://127.0.0.1:9/callback"]}',
    sealed_secret: null,
    sealed_previous_secret: null,
    previous_secret_expires_at: null,
    first_party: 0,
    assignment: 'everyone',
    require_pkce: 0,
    id_token_claims: 'full',
    refresh_tokens: 'always',
    claims: '[]',
    origin: 'administrator',
    registration_token_id: null,
    profile: 'none',
    disabled_at: null,
    secret_rotated_at: null,
    created_at: now,
    updated_at: now,
  }
}

function artifact(model: string, owner: { accountId: string; clientId: string }, now: number): Insertable<ArtifactRow> {
  const { accountId, clientId } = owner
  const value = randomBytes(24).toString('base64url')
  return {
    id: artifactKey(model, value),
    model,
    payload: JSON.stringify({ kind: model, iat: now, exp: now + DAY, accountId, clientId, scope: 'openid' }),
    grant_id: model === 'Grant' ? null : value,
    account_id: accountId,
    client_id: clientId,
    session_uid: null,
    user_code: null,
    expires_at: now + DAY,
    consumed_at: null,
    polled_at: null,
    poll_interval_seconds: null,
  }
}
