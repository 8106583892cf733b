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
  readonly sealedPrivateJwk: string
}

export interface NewKey extends StoredKey {
  readonly publicJwk: string
  readonly sealedPrivateJwk: string
}

/** One key takes over from another. */
export interface Succession {
  readonly predecessor: { readonly kid: string; readonly retiresAt: number; readonly goneAt: number }
  readonly successor: NewKey
}

export interface SigningKeyStore {
  /** Every key there ever was, the gone ones too. */
  list(): Promise<StoredKey[]>
  /** Those that are not gone; no key material is read. */
  listLive(now: number): Promise<StoredKey[]>
  /** The same keys with their sealed private halves. */
  listSealed(now: number): Promise<SealedKey[]>
  /** Adds a key, unless its algorithm has one with its sequence number; then nothing happens. */
  insertOnce(key: NewKey): Promise<void>
  /**
   * Lets all successions happen, or none.
   * @throws AppError(conflict) if a predecessor has got a successor meanwhile
   */
  succeed(successions: readonly Succession[]): Promise<void>
  /** Forgets the private halves of keys that are gone at `now`, and tells how many. */
  wipeGone(now: number): Promise<number>
}

const TIMES = ['kid', 'alg', 'sequence', 'created_at', 'activates_at', 'retires_at', 'gone_at'] as const
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
      const rows = await live(now).select('sealed_private_jwk').$narrowType<{ sealed_private_jwk: string }>().execute()
      return rows.map((row) => ({ ...storedKey(row), sealedPrivateJwk: row.sealed_private_jwk }))
    },

    async insertOnce(key) {
      await db
        .insertInto('signing_keys')
        .values(rowOf(key))
        .onConflict((conflict) => conflict.columns(['alg', 'sequence']).doNothing())
        .execute()
    },

    async succeed(successions) {
      await db.transaction().execute(async (transaction) => {
        for (const { predecessor, successor } of successions) {
          const { numUpdatedRows } = await transaction
            .updateTable('signing_keys')
            .set({ retires_at: predecessor.retiresAt, gone_at: predecessor.goneAt })
            .where('kid', '=', predecessor.kid)
            .where('retires_at', 'is', null)
            .executeTakeFirst()
          if (numUpdatedRows === 0n) throw succeededMeanwhile(successor.alg)
          await transaction.insertInto('signing_keys').values(rowOf(successor)).execute()
        }
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
    goneAt: row.gone_at ?? undefined,
  }
}

function rowOf(key: NewKey): SigningKeyRow {
  return {
    kid: key.kid,
    alg: key.alg,
    sequence: key.sequence,
    public_jwk: key.publicJwk,
    sealed_private_jwk: key.sealedPrivateJwk,
    created_at: key.createdAt,
    activates_at: key.activatesAt,
    retires_at: key.retiresAt ?? null,
    gone_at: key.goneAt ?? null,
  }
}

function succeededMeanwhile(alg: string): AppError {
  return new AppError('conflict', `Somebody else rotated ${alg} at this moment, so nothing was changed.`, {
    hint: 'See `latchkey key list`: the new key may be all that you wanted.',
  })
}
