/**
 * Registration tokens (initial access tokens, RFC 7591 §3): whoever holds one may register software, as often, until
 * then and within the bounds that the operator set. The value is told once and kept as a digest. A token is revoked and
 * never deleted: what was registered with it stays within its bounds.
 */
import type { Kysely } from 'kysely'
import type { Recorder } from '#core/audit/audit.ts'
import { ADMINISTRATOR } from '#core/audit/event.ts'
import { newClientId } from '#core/clients/client-id.ts'
import { requiredGroupIds } from '#core/groups/required-groups.ts'
import { groupStore } from '#core/groups/store.ts'
import { digest, randomToken } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import { registrationBounds } from './bounds.ts'
import { stateOf, type RegistrationToken } from './registration-token.ts'
import { registrationTokenStore } from './store.ts'
import { parseTokenInput } from './token-input.ts'

export interface RegistrationTokens {
  /** The value is told here and never again. @throws AppError(invalid_input) */
  create(input: unknown): Promise<{ readonly token: RegistrationToken; readonly value: string }>
  /** The token with the value, while something can be registered with it. */
  findLive(value: string): Promise<RegistrationToken | undefined>
  /** Whether a token ever had the value, live or not: who sends it guesses at nothing. */
  wasGiven(value: string): Promise<boolean>
  find(id: string): Promise<RegistrationToken | undefined>
  /** @throws AppError(not_found) */
  get(id: string): Promise<RegistrationToken>
  /** Newest first. */
  list(): Promise<readonly RegistrationToken[]>
  /** Takes one use within the transaction. @throws AppError(forbidden) where none is left */
  spend(trx: Kysely<Tables>, id: string): Promise<void>
  /** Nobody registers with it any more; what was registered stays. @throws AppError(not_found) */
  revoke(id: string): Promise<RegistrationToken>
}

export function createRegistrationTokens({
  database: { db },
  clock,
  audit,
}: {
  readonly database: Database<Tables>
  readonly clock: Clock
  readonly audit: Recorder
}): RegistrationTokens {
  const store = registrationTokenStore(db)

  const get: RegistrationTokens['get'] = async (id) => {
    const token = await store.find(id)
    if (!token) throw unknownToken()
    return token
  }

  return {
    find: (id) => store.find(id),
    get,
    list: () => store.list(),

    async create(input) {
      const { name, expiresInSeconds, uses, bounds } = parseTokenInput(input)
      await requiredGroupIds(groupStore(db), bounds.groups ?? [])
      const value = randomToken()
      const now = clock.now()
      const token: RegistrationToken = {
        id: newClientId(),
        name,
        bounds: registrationBounds.parse(bounds),
        usesLeft: uses,
        uses: 0,
        expiresAt: now + expiresInSeconds,
        revokedAt: undefined,
        createdAt: now,
      }
      await db.transaction().execute(async (trx) => {
        await registrationTokenStore(trx).insert(token, digest(value))
        await audit.record(
          { type: 'registration_token.created', by: ADMINISTRATOR, facts: { token_id: token.id, uses, name } },
          trx,
        )
      })
      return { token, value }
    },

    async findLive(value) {
      const token = await store.findByDigest(digest(value))
      return token && stateOf(token, clock.now()) === 'live' ? token : undefined
    },

    wasGiven: async (value) => (await store.findByDigest(digest(value))) !== undefined,

    async spend(trx, id) {
      if (!(await registrationTokenStore(trx).spend(id, clock.now())))
        throw new AppError('forbidden', 'The registration token is used up, expired or revoked.')
    },

    async revoke(id) {
      await db.transaction().execute(async (trx) => {
        if (!(await registrationTokenStore(trx).revoke(id, clock.now()))) throw unknownToken()
        await audit.record({ type: 'registration_token.revoked', by: ADMINISTRATOR, facts: { token_id: id } }, trx)
      })
      return get(id)
    },
  }
}

function unknownToken(): AppError {
  return new AppError('not_found', 'There is no registration token with this id.', {
    hint: 'latchkey registration-token list shows all of them.',
  })
}
