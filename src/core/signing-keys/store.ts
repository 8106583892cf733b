import type { Kysely, Selectable } from 'kysely'
import type { SigningKeyRow, Tables } from '#core/tables.ts'
import { AppError } from '#platform/errors.ts'
import type { KeyTimes } from './key-state.ts'

/** A key without its keys: what it is called and when it lives. */
export interface StoredKey extends KeyTimes {
  readonly kid: string
  readonly alg: string
  readonly sequence: number
  readonly createdAt: number
}

export interface SealedKey extends StoredKey {
  readonly publicJwk: string
  readonly sealedPrivateJwk: string
}

/** The times of a key change from what they were known to be. */
export interface KeyChange {
  readonly before: StoredKey
  readonly after: StoredKey
}

export interface SigningKeyStore {
  /** Every key there ever was, the gone ones too. */
  list(): Promise<StoredKey[]>
  /** Those that are not gone; no key material is read. */
  listLive(now: number): Promise<StoredKey[]>
  /** The same keys with their sealed private halves. */
  listSealed(now: number): Promise<SealedKey[]>
  /** Adds a key, unless its algorithm has one with its sequence number; then nothing happens. */
  insertOnce(key: SealedKey): Promise<void>
  /** The public halves of every key there ever was. */
  listPublic(): Promise<{ readonly kid: string; readonly publicJwk: string }[]>
  /**
   * Changes keys and adds keys: all of it, or nothing. A key that is gone by its new times loses its private half.
   * @throws AppError(conflict) if the keys are not what they were known to be any more
   */
  change(
    changes: readonly KeyChange[],
    added: readonly SealedKey[],
    now: number,
    together: (transaction: Kysely<Tables>) => Promise<void>,
  ): Promise<void>
  /** Forgets the private halves of keys that are gone at `now`, and tells how many. */
  wipeGone(now: number): Promise<number>
}

const TIMES = [
  'kid',
  'alg',
  'sequence',
  'created_at',
  'activates_at',
  'retires_at',
  'unpublished_at',
  'gone_at',
] as const
type TimesRow = Pick<Selectable<SigningKeyRow>, (typeof TIMES)[number]>

export function signingKeyStore(db: Kysely<Tables>): SigningKeyStore {
  // a key without its private half is gone, whatever the clock of this host says
  const live = (now: number) =>
    db
      .selectFrom('signing_keys')
      .select(TIMES)
      .where('sealed_private_jwk', 'is not', null)
      .where((where) => where.or([where('gone_at', 'is', null), where('gone_at', '>', now)]))

  return {
    async list() {
      return (await db.selectFrom('signing_keys').select(TIMES).execute()).map(storedKey)
    },

    async listLive(now) {
      return (await live(now).execute()).map(storedKey)
    },

    async listSealed(now) {
      const rows = await live(now)
        .select(['public_jwk', 'sealed_private_jwk'])
        .$narrowType<{ sealed_private_jwk: string }>()
        .execute()
      return rows.map((row) => ({
        ...storedKey(row),
        publicJwk: row.public_jwk,
        sealedPrivateJwk: row.sealed_private_jwk,
      }))
    },

    async insertOnce(key) {
      await db
        .insertInto('signing_keys')
        .values(rowOf(key))
        .onConflict((conflict) => conflict.columns(['alg', 'sequence']).doNothing())
        .execute()
    },

    async listPublic() {
      const rows = await db.selectFrom('signing_keys').select(['kid', 'public_jwk']).execute()
      return rows.map((row) => ({ kid: row.kid, publicJwk: row.public_jwk }))
    },

    async change(changes, added, now, together) {
      await db.transaction().execute(async (transaction) => {
        for (const { before, after } of changes) {
          const isGone = after.goneAt !== undefined && after.goneAt <= now
          const { numUpdatedRows } = await transaction
            .updateTable('signing_keys')
            .set({ ...timesOf(after), ...(isGone ? { sealed_private_jwk: null } : {}) })
            .where('kid', '=', before.kid)
            .where('activates_at', '=', before.activatesAt)
            .where('retires_at', 'is not distinct from', before.retiresAt ?? null)
            .where('gone_at', 'is not distinct from', before.goneAt ?? null)
            .executeTakeFirst()
          if (numUpdatedRows === 0n) throw changedMeanwhile(after.alg)
        }
        for (const key of added) {
          const { numInsertedOrUpdatedRows } = await transaction
            .insertInto('signing_keys')
            .values(rowOf(key))
            .onConflict((conflict) => conflict.doNothing())
            .executeTakeFirst()
          if (numInsertedOrUpdatedRows !== 1n) throw changedMeanwhile(key.alg)
        }
        await together(transaction)
      })
    },

    async wipeGone(now) {
      const { numUpdatedRows } = await db
        .updateTable('signing_keys')
        .set({ sealed_private_jwk: null })
        .where('gone_at', '<=', now)
        .where('sealed_private_jwk', 'is not', null)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },
  }
}

function storedKey(row: TimesRow): StoredKey {
  return {
    kid: row.kid,
    alg: row.alg,
    sequence: row.sequence,
    createdAt: row.created_at,
    activatesAt: row.activates_at,
    retiresAt: row.retires_at ?? undefined,
    unpublishedAt: row.unpublished_at ?? undefined,
    goneAt: row.gone_at ?? undefined,
  }
}

function rowOf(key: SealedKey): SigningKeyRow {
  return {
    kid: key.kid,
    alg: key.alg,
    sequence: key.sequence,
    public_jwk: key.publicJwk,
    sealed_private_jwk: key.sealedPrivateJwk,
    created_at: key.createdAt,
    ...timesOf(key),
  }
}

function timesOf({ activatesAt, retiresAt, unpublishedAt, goneAt }: KeyTimes) {
  return {
    activates_at: activatesAt,
    retires_at: retiresAt ?? null,
    unpublished_at: unpublishedAt ?? null,
    gone_at: goneAt ?? null,
  }
}

function changedMeanwhile(alg: string): AppError {
  return new AppError('conflict', `Somebody else changed the keys of ${alg} at this moment, so nothing was changed.`, {
    hint: 'See `latchkey key list`: what is there now may be all that you wanted.',
  })
}
