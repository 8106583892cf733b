/**
 * Counts attempts at what can be guessed, for all processes at once: the row of a key is written only while its limit
 * is not reached, in one statement, so of many attempts at the same moment no more get through than the limit says.
 * Count before you look whether the attempt was right; give back what was.
 */
import type { Kysely } from 'kysely'

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

/**
 * Counts an attempt against every limit, in their order, and stops at the first that is reached.
 * @param now seconds since the epoch
 * @returns undefined where the attempt may be made, else the seconds until the next may be
 */
export async function countAttempt(
  db: Kysely<AttemptTables>,
  limits: readonly AttemptLimit[],
  now: number,
): Promise<number | undefined> {
  for (const limit of limits) {
    if (!(await countOne(db, limit, now))) return (await waitsFor(db, [limit], now)).get(limit.key) ?? 1
  }
  return undefined
}

/** Of the limits that are reached, by their keys: the seconds until the next attempt may be made. Counts nothing. */
export async function waitsFor(
  db: Kysely<AttemptTables>,
  limits: readonly AttemptLimit[],
  now: number,
): Promise<ReadonlyMap<string, number>> {
  const keys = limits.map(({ key }) => key)
  const rows = await db
    .selectFrom('attempt_counters')
    .selectAll()
    .where('key', 'in', keys)
    .where('expires_at', '>', now)
    .execute()
  const isReached = (row: AttemptTables['attempt_counters']): boolean =>
    limits.some(({ key, most }) => key === row.key && row.count >= most)
  return new Map(rows.filter(isReached).map(({ key, expires_at }) => [key, expires_at - now]))
}

/** Takes an attempt back that turned out to be right. */
export async function giveBackAttempt(db: Kysely<AttemptTables>, limits: readonly AttemptLimit[]): Promise<void> {
  // one statement each: several rows in one would be locked in any order, and two of those wait for each other
  for (const { key } of limits) {
    await db
      .updateTable('attempt_counters')
      .set((set) => ({ count: set('count', '-', 1) }))
      .where('key', '=', key)
      .where('count', '>', 0)
      .execute()
  }
}

/** Begins a new series: the attempts counted so far are as if they had never been made. */
export async function forgetAttempts(
  db: Kysely<AttemptTables>,
  limits: readonly Pick<AttemptLimit, 'key'>[],
): Promise<void> {
  for (const { key } of limits) await db.deleteFrom('attempt_counters').where('key', '=', key).execute()
}

/** Deletes at most `limit` counters whose series is over, and tells how many. */
export async function sweepAttempts(db: Kysely<AttemptTables>, now: number, limit: number): Promise<number> {
  const over = db.selectFrom('attempt_counters').select('key').where('expires_at', '<=', now).limit(limit)
  const { numDeletedRows } = await db
    .deleteFrom('attempt_counters')
    .where('key', 'in', over)
    .where('expires_at', '<=', now)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

async function countOne(
  db: Kysely<AttemptTables>,
  { key, most, seconds, from }: AttemptLimit,
  now: number,
): Promise<boolean> {
  const counted = await db
    .insertInto('attempt_counters')
    .values({ key, count: 1, expires_at: now + seconds })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet((set) => {
          const over = set('attempt_counters.expires_at', '<=', now)
          const whileUnderWay = from === 'last' ? set.lit(now + seconds) : set.ref('attempt_counters.expires_at')
          return {
            count: set
              .case()
              .when(over)
              .then(1)
              .else(set('attempt_counters.count', '+', 1))
              .end(),
            expires_at: set
              .case()
              .when(over)
              .then(set.lit(now + seconds))
              .else(whileUnderWay)
              .end(),
          }
        })
        .where((where) =>
          where.or([where('attempt_counters.expires_at', '<=', now), where('attempt_counters.count', '<', most)]),
        ),
    )
    .returning('key')
    .executeTakeFirst()
  return counted !== undefined
}
