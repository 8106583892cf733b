/** The rows of registration tokens. */
import type { Kysely, Selectable } from 'kysely'
import type { RegistrationTokenRow, Tables } from '#core/tables.ts'
import { registrationBounds } from './bounds.ts'
import type { RegistrationToken } from './registration-token.ts'

export interface RegistrationTokenStore {
  insert(token: RegistrationToken, digest: string): Promise<void>
  find(id: string): Promise<RegistrationToken | undefined>
  findByDigest(digest: string): Promise<RegistrationToken | undefined>
  /** Newest first. */
  list(): Promise<RegistrationToken[]>
  /** Takes one use, in one conditional write. False where none is left, or it is over. */
  spend(id: string, now: number): Promise<boolean>
  /** Keeps the time at which it was revoked first. False where there is no such token. */
  revoke(id: string, now: number): Promise<boolean>
}

export function registrationTokenStore(db: Kysely<Tables>): RegistrationTokenStore {
  const all = () => db.selectFrom('registration_tokens').selectAll()

  return {
    async insert(token, digest) {
      await db
        .insertInto('registration_tokens')
        .values({
          id: token.id,
          digest,
          name: token.name,
          bounds: JSON.stringify(token.bounds),
          uses_left: token.usesLeft,
          uses: token.uses,
          expires_at: token.expiresAt,
          revoked_at: null,
          created_at: token.createdAt,
        })
        .execute()
    },

    async find(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && tokenOf(row)
    },

    async findByDigest(digest) {
      const row = await all().where('digest', '=', digest).executeTakeFirst()
      return row && tokenOf(row)
    },

    list: async () => (await all().orderBy('created_at', 'desc').orderBy('id').execute()).map(tokenOf),

    async spend(id, now) {
      const { numUpdatedRows } = await db
        .updateTable('registration_tokens')
        .set((set) => ({ uses_left: set('uses_left', '-', 1), uses: set('uses', '+', 1) }))
        .where('id', '=', id)
        .where('uses_left', '>', 0)
        .where('expires_at', '>', now)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async revoke(id, now) {
      const { numUpdatedRows } = await db
        .updateTable('registration_tokens')
        .set((set) => ({ revoked_at: set.fn.coalesce('revoked_at', set.val(now)) }))
        .where('id', '=', id)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
  }
}

function tokenOf(row: Selectable<RegistrationTokenRow>): RegistrationToken {
  return {
    id: row.id,
    name: row.name,
    bounds: registrationBounds.parse(JSON.parse(row.bounds)),
    usesLeft: row.uses_left,
    uses: row.uses,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at ?? undefined,
    createdAt: row.created_at,
  }
}
