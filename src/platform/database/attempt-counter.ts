/**
 * Counts attempts at what can be guessed, for all processes at once: the row of a key is written only while its limit
 * is not reached, in one statement, so of many attempts at the same moment no more get through than the limit says.
 * Count before you look whether the attempt was right; give back what was.
 */
import type { Kysely } from 'kysely'
import { prepared } from './prepared.ts'

export interface AttemptTables {
  attempt_counters: { key: string; count: number; expires_at: number }
}

export interface AttemptLimit {
  /** Names what is counted; a digest, since the table should tell nobody whose attempts these were. */
  readonly key: string
  /** How many attempts get through in a series. */
  readonly most: number
  readonly seconds: number
  /**
   * When a series is over: `seconds` after its first attempt, or after its last one that got through. With `last` no
   * stretch of `seconds` ever holds more than `most`; with `first` two series may meet.
   */
  readonly from: 'first' | 'last'
}

/** All times in seconds since the epoch. */
export interface AttemptCounters {
  /**
   * Counts an attempt against every limit, in their order, and stops at the first that is reached.
   * @returns undefined where the attempt may be made, else the seconds until the next may be
   */
  count(limits: readonly AttemptLimit[], now: number, transaction?: Kysely<AttemptTables>): Promise<number | undefined>
  /** Of the limits that are reached, by their keys: the seconds until the next attempt may be made. Counts nothing. */
  waitsFor(
    limits: readonly AttemptLimit[],
    now: number,
    transaction?: Kysely<AttemptTables>,
  ): Promise<ReadonlyMap<string, number>>
  /** Takes an attempt back that turned out to be right. */
  giveBack(limits: readonly AttemptLimit[]): Promise<void>
  /** Begins a new series: the attempts counted so far are as if they had never been made. */
  forget(limits: readonly Pick<AttemptLimit, 'key'>[], transaction?: Kysely<AttemptTables>): Promise<void>
  /** Deletes at most `limit` counters whose series is over, and tells how many. */
  sweep(now: number, limit: number): Promise<number>
}

export function attemptCounters(db: Kysely<AttemptTables>): AttemptCounters {
  const countOne = { first: counting(db, 'first'), last: counting(db, 'last') }
  const giveBackOne = prepared(db, ({ key }: { key: string }) =>
    db
      .updateTable('attempt_counters')
      .set((set) => ({ count: set('count', '-', 1) }))
      .where('key', '=', key)
      .where('count', '>', 0),
  )
  const forgetOne = prepared(db, ({ key }: { key: string }) => db.deleteFrom('attempt_counters').where('key', '=', key))

  const waitsFor: AttemptCounters['waitsFor'] = async (limits, now, transaction = db) => {
    const keys = limits.map(({ key }) => key)
    const rows = await transaction
      .selectFrom('attempt_counters')
      .selectAll()
      .where('key', 'in', keys)
      .where('expires_at', '>', now)
      .execute()
    const isReached = (row: AttemptTables['attempt_counters']): boolean =>
      limits.some(({ key, most }) => key === row.key && row.count >= most)
    return new Map(rows.filter(isReached).map(({ key, expires_at }) => [key, expires_at - now]))
  }

  return {
    waitsFor,

    async count(limits, now, transaction) {
      for (const limit of limits) {
        const { key, most, seconds, from } = limit
        const counted = await countOne[from]({ key, most, now, end: now + seconds }, transaction)
        if (counted.rows.length === 0) return (await waitsFor([limit], now, transaction)).get(key) ?? 1
      }
      return undefined
    },

    // one statement each: several rows in one would be locked in any order, and two of those wait for each other
    async giveBack(limits) {
      for (const { key } of limits) await giveBackOne({ key })
    },
    async forget(limits, transaction) {
      for (const { key } of limits) await forgetOne({ key }, transaction)
    },

    async sweep(now, limit) {
      const over = db.selectFrom('attempt_counters').select('key').where('expires_at', '<=', now).limit(limit)
      const { numDeletedRows } = await db
        .deleteFrom('attempt_counters')
        .where('key', 'in', over)
        .where('expires_at', '<=', now)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

/** Gives the row back where the attempt was counted. */
function counting(db: Kysely<AttemptTables>, from: AttemptLimit['from']) {
  return prepared(db, ({ key, most, now, end }: { key: string; most: number; now: number; end: number }) =>
    db
      .insertInto('attempt_counters')
      .values({ key, count: 1, expires_at: end })
      .onConflict((conflict) =>
        conflict
          .column('key')
          .doUpdateSet((set) => {
            const over = set('attempt_counters.expires_at', '<=', now)
            const end = set.ref('excluded.expires_at')
            return {
              count: set
                .case()
                .when(over)
                .then(1)
                .else(set('attempt_counters.count', '+', 1))
                .end(),
              expires_at:
                from === 'last'
                  ? end
                  : set.case().when(over).then(end).else(set.ref('attempt_counters.expires_at')).end(),
            }
          })
          .where((where) =>
            where.or([where('attempt_counters.expires_at', '<=', now), where('attempt_counters.count', '<', most)]),
          ),
      )
      .returning('key'),
  )
}
