/**
 * Back-channel logout, up to the sending: whenever a session ends, whoever ends it and in whatever process, each of its
 * clients that registered an address for it is owed a logout token. The debt is a row that is written in the
 * transaction that ends the session, so neither is without the other. A server pays it (oidc/backchannel-logout.ts); the row
 * then tells what came of it. A session that merely expires owes nothing: nobody signed out.
 */
import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { artifactStore } from '#core/artifacts/store.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { nextAttemptAt } from './retries.ts'
import { logoutDeliveryStore, type LogoutDelivery, type SessionClient } from './store.ts'

export interface LogoutDeliveries {
  /** Remembers that a client took part in a session, under the sid that it was told. */
  join(part: { sessionUid: string; clientId: string; sid: string; accountId: string }): Promise<void>
  /** Ends a session; what its clients are owed is given to the caller as claimed. */
  endSession(sessionUid: string): Promise<readonly LogoutDelivery[]>
  /** One client leaves a session that goes on; what it is owed is given to the caller as claimed. */
  leaveSession(sessionUid: string, clientId: string): Promise<readonly LogoutDelivery[]>
  /** Claims at most `limit` deliveries that are due; of several processes one gets each. */
  claimDue(limit: number): Promise<readonly LogoutDelivery[]>
  /** Writes down what came of an attempt. Gives the time of the next one; undefined where there is none. */
  settle(delivery: LogoutDelivery, outcome: AttemptOutcome): Promise<number | undefined>
  /** Deletes at most `limit` old rows of each table, and tells how many. */
  sweep(limit: number): Promise<number>
}

export interface AttemptOutcome {
  /** What the client answered, if it did. */
  readonly status: number | undefined
  /** Why the attempt failed; undefined for a delivery. */
  readonly error: string | undefined
  /** No further attempt would go better. */
  readonly final?: boolean
}

/** Longer than an attempt may take; whose process dies during one is tried again by others after it. */
const CLAIM_SECONDS = 30
const RETENTION_SECONDS = 30 * 86_400
/** A session is written a moment after its first client; nothing so young is an orphan. */
const ORPHAN_SECONDS = 3_600
const MAX_ERROR_LENGTH = 500

/** Queues what is owed to the clients of every session of a person, in the transaction that ends these sessions. */
export async function queueLogoutsOf(transaction: Kysely<Tables>, accountId: string, now: number): Promise<void> {
  const store = logoutDeliveryStore(transaction)
  await store.insert(await owedTo(await store.takeOfAccount(accountId), store, { now, dueAt: now, attempts: 0 }))
}

export function createLogoutDeliveries({
  database: { db },
  clock,
}: {
  readonly database: Database<Tables>
  readonly clock: Clock
}): LogoutDeliveries {
  const own = logoutDeliveryStore(db)

  const queueClaimed = async (transaction: Kysely<Tables>, taken: readonly SessionClient[]) => {
    const store = logoutDeliveryStore(transaction)
    const now = clock.now()
    const rows = await owedTo(taken, store, { now, dueAt: now + CLAIM_SECONDS, attempts: 1 })
    await store.insert(rows)
    return rows
  }

  return {
    join: ({ sessionUid, clientId, sid, accountId }) =>
      own.join({
        session_uid: sessionUid,
        client_id: clientId,
        sid,
        account_id: accountId,
        created_at: clock.now(),
      }),

    endSession: (sessionUid) =>
      db.transaction().execute(async (transaction) => {
        await artifactStore(transaction).removeSession(sessionUid)
        return queueClaimed(transaction, await logoutDeliveryStore(transaction).takeOfSession(sessionUid))
      }),

    leaveSession: (sessionUid, clientId) =>
      db
        .transaction()
        .execute(async (transaction) =>
          queueClaimed(transaction, await logoutDeliveryStore(transaction).takeOfSession(sessionUid, clientId)),
        ),

    async claimDue(limit) {
      const now = clock.now()
      const claimed: LogoutDelivery[] = []
      for (const delivery of await own.due(now, limit)) {
        const mine = await own.claim(delivery, now + CLAIM_SECONDS)
        if (mine) claimed.push(mine)
      }
      return claimed
    },

    async settle({ id, attempts }, { status, error, final = false }) {
      const now = clock.now()
      const again = error === undefined || final ? undefined : nextAttemptAt(attempts, now)
      await own.settle(id, {
        next_attempt_at: again ?? null,
        last_status: status ?? null,
        last_error: error?.slice(0, MAX_ERROR_LENGTH) ?? null,
        delivered_at: error === undefined ? now : null,
        given_up_at: error !== undefined && again === undefined ? now : null,
      })
      return again
    },

    sweep: async (limit) =>
      (await own.sweepSettled(clock.now() - RETENTION_SECONDS, limit)) +
      (await own.sweepJoined(clock.now() - ORPHAN_SECONDS, limit)),
  }
}

interface Start {
  readonly now: number
  readonly dueAt: number
  readonly attempts: number
}

/**
 * One row for each session that a client is told of by its sid. Clients that do not ask for the sid end all sessions of
 * the person (OpenID Connect Back-Channel Logout 1.0 §2.4), so one row says it.
 */
async function owedTo(
  parts: readonly SessionClient[],
  store: Pick<ReturnType<typeof logoutDeliveryStore>, 'listeners'>,
  { now, dueAt, attempts }: Start,
): Promise<LogoutDelivery[]> {
  const listeners = await store.listeners([...new Set(parts.map(({ client_id: id }) => id))])
  const owed = new Map<string, LogoutDelivery>()
  for (const { session_uid, client_id, account_id, sid } of parts) {
    const bySession = listeners.get(client_id)
    if (bySession === undefined) continue
    const told = bySession ? sid : null
    owed.set(JSON.stringify([client_id, account_id, told]), {
      id: randomUUID(),
      session_uid,
      client_id,
      account_id,
      sid: told,
      attempts,
      next_attempt_at: dueAt,
      last_status: null,
      last_error: null,
      created_at: now,
      delivered_at: null,
      given_up_at: null,
    })
  }
  return [...owed.values()]
}
