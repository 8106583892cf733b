/**
 * The rows behind every model of the protocol library but Client. The library reads and then writes; here the
 * database decides: what may be used once is consumed by one conditional write whose row count is the answer.
 */
import type { Kysely, QueryResult, Selectable } from 'kysely'
import type { ArtifactRow, Tables } from '#core/tables.ts'
import { prepared } from '#platform/database/prepared.ts'

/** What is read of a row; the other columns are only looked it up by, or written under a condition. */
const COLUMNS = ['id', 'model', 'payload', 'grant_id', 'account_id', 'client_id', 'expires_at', 'consumed_at'] as const

export type Artifact = Pick<Selectable<ArtifactRow>, (typeof COLUMNS)[number]>

/** Rows are kept this long after they expire, so that a late caller hears "expired" and not "unknown", in seconds. */
export const EXPIRY_GRACE_SECONDS = 60

/** Two tabs may leave a row each, now and then a third; more are nobody's doing but a stranger's. */
const MOST_OF_SESSION = 10

/** A row without the columns that conditional writes alone may touch. */
export type NewArtifact = Omit<Selectable<ArtifactRow>, 'consumed_at' | 'polled_at' | 'poll_interval_seconds'>

export interface ArtifactStore {
  /** Inserts or replaces the row; never touches `consumed_at`, nor what polls have left. */
  upsert(row: NewArtifact): Promise<void>
  /** Inserts the row unless one with its id is there, which stays as it is. True for the one caller that inserted it. */
  insertOnce(row: NewArtifact): Promise<boolean>
  /** The row, unless it expired more than the grace ago. */
  find(id: string, now: number): Promise<Artifact | undefined>
  /** Those of the rows that are there, in no order; three, since a statement is prepared for a number of them. */
  findAnyOf(ids: readonly [string, string, string], now: number): Promise<readonly Artifact[]>
  /**
   * The rows of the session with the uid, newest first. There may be several: two tabs may write one uid at once.
   */
  listBySessionUid(uid: string, now: number): Promise<Artifact[]>
  /** The same, and the row with the id, in one statement. */
  listBySessionUidWith(
    uid: string,
    id: string,
    now: number,
  ): Promise<{ readonly ofSession: Artifact[]; readonly beside: Artifact | undefined }>
  /** At most `limit` rows of a model that stand on the person and have not expired, the first to expire first. */
  listOfAccount(model: string, accountId: string, now: number, limit: number): Promise<Artifact[]>
  /** Puts `after` in the place of `before`, under the same id or another; false if `before` has changed or is gone. */
  replace(before: Pick<Artifact, 'id' | 'payload'>, after: NewArtifact): Promise<boolean>
  findByUserCode(userCode: string, now: number): Promise<Artifact | undefined>
  /**
   * Marks the row as consumed. True for the one caller that did it, and for callers that come while
   * `consumed_at > now - reuseSeconds` (0: for nobody else).
   */
  consume(id: string, now: number, reuseSeconds: number): Promise<boolean>
  /**
   * Notes that the row was asked for just now. True where the one before was at least its interval ago, or there was
   * none; otherwise false, and from now on the interval is longer by as much as it was at first.
   */
  poll(id: string, now: number, firstIntervalSeconds: number): Promise<boolean>
  /** Makes others who would hold, change or remove the row wait until the caller's unit has ended. */
  hold(id: string): Promise<void>
  remove(id: string): Promise<void>
  removeByGrant(grantId: string, models: readonly string[]): Promise<void>
  /** Ends a session, in whatever row a tab has left it. */
  removeSession(uid: string): Promise<void>
  /** Ends all that stands on a person or a client: sessions, grants, codes, tokens, interactions. */
  removeByAccount(accountId: string): Promise<void>
  removeByClient(clientId: string): Promise<void>
  /** Deletes at most `limit` rows that expired more than the grace ago, and tells how many. */
  sweep(now: number, limit: number): Promise<number>
}

export function artifactStore(db: Kysely<Tables>): ArtifactStore {
  const sinceOf = (now: number) => now - EXPIRY_GRACE_SECONDS
  const hot = hotStatements(db)

  return {
    async upsert(row) {
      await hot.upsert(row)
    },

    insertOnce: async (row) => wroteOne(await hot.insertOnce(row)),

    find: async (id, now) => (await hot.find({ id, since: sinceOf(now) })).rows[0],

    findAnyOf: async ([first, second, third], now) =>
      (await hot.findAnyOf({ first, second, third, since: sinceOf(now) })).rows,

    listBySessionUid: async (uid, now) => newestFirst((await hot.listBySessionUid({ uid, since: sinceOf(now) })).rows),

    async listBySessionUidWith(uid, id, now) {
      const { rows } = await hot.listBySessionUidWith({ uid, id, since: sinceOf(now) })
      return {
        ofSession: newestFirst(rows.filter((row) => row.id !== id)),
        beside: rows.find((row) => row.id === id),
      }
    },

    listOfAccount: (model, accountId, now, limit) =>
      db
        .selectFrom('artifacts')
        .select(COLUMNS)
        .where('account_id', '=', accountId)
        .where('model', '=', model)
        .where('expires_at', '>', now)
        .orderBy('expires_at')
        .limit(limit)
        .execute(),

    replace: async (before, after) =>
      wroteOne(await hot.replace({ ...after, idBefore: before.id, payloadBefore: before.payload })),

    findByUserCode: (userCode, now) => live(db, sinceOf(now)).where('user_code', '=', userCode).executeTakeFirst(),

    consume: async (id, now, reuseSeconds) =>
      // without a window no time is compared: the clock of another host may be behind the one that wrote
      wroteOne(
        await (reuseSeconds > 0 ? hot.consumeAgain({ id, now, since: now - reuseSeconds }) : hot.consume({ id, now })),
      ),

    async poll(id, now, firstIntervalSeconds) {
      const polled = db.updateTable('artifacts').where('id', '=', id)
      const { numUpdatedRows } = await polled
        .set((set) => ({
          polled_at: now,
          poll_interval_seconds: set.fn.coalesce('poll_interval_seconds', set.val(firstIntervalSeconds)),
        }))
        .where((where) =>
          where.or([
            where('polled_at', 'is', null),
            // a second of grace: whole seconds are kept, and no network is a metronome
            where(where('polled_at', '+', where.ref('poll_interval_seconds')), '<=', now + 1),
          ]),
        )
        .executeTakeFirst()
      if (numUpdatedRows > 0n) return true
      await polled
        .set((set) => ({
          polled_at: now,
          poll_interval_seconds: set('poll_interval_seconds', '+', firstIntervalSeconds),
        }))
        .execute()
      return false
    },

    async hold(id) {
      await hot.hold({ id })
    },

    async remove(id) {
      await hot.remove({ id })
    },

    async removeByGrant(grantId, models) {
      await db.deleteFrom('artifacts').where('grant_id', '=', grantId).where('model', 'in', models).execute()
    },

    async removeSession(uid) {
      await db.deleteFrom('artifacts').where('session_uid', '=', uid).where('model', '=', 'Session').execute()
    },

    async removeByAccount(accountId) {
      // the sessions first: what a request still stores in one is seen by the second statement, or has no session
      await db.deleteFrom('artifacts').where('account_id', '=', accountId).where('model', '=', 'Session').execute()
      await db.deleteFrom('artifacts').where('account_id', '=', accountId).execute()
    },

    async removeByClient(clientId) {
      await db.deleteFrom('artifacts').where('client_id', '=', clientId).execute()
    },

    async sweep(now, limit) {
      const expired = db
        .selectFrom('artifacts')
        .select('id')
        .where('expires_at', '<=', now - EXPIRY_GRACE_SECONDS)
        .limit(limit)
      const { numDeletedRows } = await db.deleteFrom('artifacts').where('id', 'in', expired).executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

/** What every request for a token sends, and every page of a sign-in. */
function hotStatements(db: Kysely<Tables>) {
  const inserting = (row: NewArtifact) => db.insertInto('artifacts').values({ ...row, consumed_at: null })
  const consuming = ({ id, now }: { id: string; now: number }) =>
    db
      .updateTable('artifacts')
      .set((set) => ({ consumed_at: set.fn.coalesce('consumed_at', set.val(now)) }))
      .where('id', '=', id)
  const withId = (id: string, since: number) => live(db, since).where('id', '=', id)
  // in no order: to sort by a column with a partial index, SQLite would plan the statement anew at each run
  const ofSession = ({ uid, since }: { uid: string; since: number }) =>
    live(db, since).where('session_uid', '=', uid).where('model', '=', 'Session')
  return {
    upsert: prepared(db, (row: NewArtifact) => {
      const { id: _, ...rest } = row
      return inserting(row).onConflict((conflict) => conflict.column('id').doUpdateSet(rest))
    }),
    insertOnce: prepared(db, (row: NewArtifact) =>
      inserting(row).onConflict((conflict) => conflict.column('id').doNothing()),
    ),
    find: prepared(db, ({ id, since }: { id: string; since: number }) => withId(id, since)),
    // SQLite would put a list of ids into a table of its own
    findAnyOf: prepared(db, ({ since, ...ids }: { first: string; second: string; third: string; since: number }) =>
      withId(ids.first, since).unionAll(withId(ids.second, since)).unionAll(withId(ids.third, since)),
    ),
    listBySessionUid: prepared(db, (values: { uid: string; since: number }) =>
      ofSession(values).limit(MOST_OF_SESSION),
    ),
    listBySessionUidWith: prepared(db, ({ id, ...values }: { uid: string; id: string; since: number }) =>
      withId(id, values.since)
        .unionAll(ofSession(values))
        .limit(1 + MOST_OF_SESSION),
    ),
    replace: prepared(
      db,
      ({ idBefore, payloadBefore, ...after }: NewArtifact & { idBefore: string; payloadBefore: string }) =>
        db.updateTable('artifacts').set(after).where('id', '=', idBefore).where('payload', '=', payloadBefore),
    ),
    consume: prepared(db, (values: { id: string; now: number }) => consuming(values).where('consumed_at', 'is', null)),
    consumeAgain: prepared(db, ({ since, ...values }: { id: string; now: number; since: number }) =>
      consuming(values).where((where) =>
        where.or([where('consumed_at', 'is', null), where('consumed_at', '>', since)]),
      ),
    ),
    hold: prepared(db, ({ id }: { id: string }) =>
      db
        .updateTable('artifacts')
        .set((set) => ({ model: set.ref('model') }))
        .where('id', '=', id),
    ),
    remove: prepared(db, ({ id }: { id: string }) => db.deleteFrom('artifacts').where('id', '=', id)),
  }
}

function live(db: Kysely<Tables>, since: number) {
  return db
    .selectFrom('artifacts')
    .select(COLUMNS)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', since)]))
}

function newestFirst(rows: readonly Artifact[]): Artifact[] {
  return rows.toSorted((a, b) => (b.expires_at ?? 0) - (a.expires_at ?? 0))
}

function wroteOne({ numAffectedRows }: QueryResult<unknown>): boolean {
  return numAffectedRows === 1n
}
