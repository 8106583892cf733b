// What is owed to the applications of sessions that end: written once, sent by one, tried again, and forgotten.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '#app/config.ts'
import { openServices, type OpenServices } from '#app/services.ts'
import { createLogoutDeliveries, queueLogoutsOf } from '#core/logout-deliveries/logout-deliveries.ts'
import { nextAttemptAt } from '#core/logout-deliveries/retries.ts'
import type { LogoutDelivery } from '#core/logout-deliveries/store.ts'
import type { Tables } from '#core/tables.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { createClient } from '../support/app.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const START = 1_700_000_000
const LISTENING = { backchannel_logout_uri: 'https://app.example/logout' }

describe.each(databases)('logout deliveries on $name', ({ create }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-logout-'))
  const names = new Map<string, string>()
  const ids = new Map<string, string>()
  let place: TestDatabase
  let open: OpenServices
  let database: Database<Tables>
  let other: Database<Tables>
  let now = START
  const clock = { now: () => now }
  const deliveries = () => createLogoutDeliveries({ database, clock })

  beforeAll(async () => {
    place = await create()
    const settings = { DATABASE_URL: place.url, KEYS_DIR: path.join(folder, 'keys'), LOG_LEVEL: 'silent' }
    open = await openServices(loadConfig(settings, folder), { clock })
    database = open.services.database
    other = openDatabase<Tables>(place.url, () => {})
    await client('by-sid', { ...LISTENING, metadata: { backchannel_logout_session_required: true } })
    await client('by-person', LISTENING)
    await client('deaf', {})
    await open.services.clients.disable(await client('disabled', LISTENING))
  })
  beforeEach(async () => {
    now = START
    for (const table of ['logout_deliveries', 'session_clients', 'artifacts'] as const)
      await database.db.deleteFrom(table).execute()
  })
  afterAll(async () => {
    await open.close()
    await other.close()
    await place.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Registers a client of the name, and gives its id. */
  async function client(name: string, listening: Record<string, unknown>): Promise<string> {
    const registered = await createClient(open.services, { name, ...listening })
    names.set(registered.client.id, name)
    ids.set(name, registered.client.id)
    return registered.client.id
  }

  const session = (uid: string, accountId = 'ada') =>
    database.db
      .insertInto('artifacts')
      .values({ id: `row of ${uid}`, model: 'Session', payload: '{}', account_id: accountId, session_uid: uid })
      .execute()

  const join = (sessionUid: string, clientId: string, sid: string, accountId = 'ada') =>
    deliveries().join({ sessionUid, clientId: ids.get(clientId) ?? clientId, sid, accountId })

  const count = async (table: 'logout_deliveries' | 'session_clients' | 'artifacts') =>
    (await database.db.selectFrom(table).selectAll().execute()).length

  async function owed(): Promise<LogoutDelivery> {
    await join('one', 'by-sid', 'sid-1')
    await database.db.transaction().execute((transaction) => queueLogoutsOf(transaction, 'ada', now))
    return only(await database.db.selectFrom('logout_deliveries').selectAll().execute())
  }

  test('the end of a session takes its row, and owes each client that listens one token', async () => {
    await session('one')
    await session('two')
    for (const clientId of ['by-sid', 'by-person', 'deaf', 'disabled', 'unknown'])
      for (const uid of ['one', 'two']) await join(uid, clientId, `${clientId} in ${uid}`)
    await join('one', 'by-sid', 'by-sid in one')
    const rows = await deliveries().endSession('one')
    expect(
      rows.map(({ client_id, sid, account_id }) => `${names.get(client_id)}: ${sid}, ${account_id}`).toSorted(),
    ).toEqual(['by-person: null, ada', 'by-sid: by-sid in one, ada'])
    expect([await count('artifacts'), await count('session_clients')]).toEqual([1, 5])
    expect(await deliveries().endSession('one')).toEqual([])
  })

  test('of several that end one session at once, one owes', async () => {
    await session('one')
    await join('one', 'by-sid', 'sid-1')
    const elsewhere = createLogoutDeliveries({ database: other, clock })
    const ends = await Promise.all([deliveries(), elsewhere, deliveries()].map((each) => each.endSession('one')))
    expect(ends.flat()).toHaveLength(1)
    expect(await count('logout_deliveries')).toBe(1)
  })

  test('all sessions of a person are owed by their sids; a client without sids is owed once', async () => {
    await join('one', 'by-sid', 'sid-1')
    await join('two', 'by-sid', 'sid-2')
    await join('one', 'by-person', 'sid-3')
    await join('two', 'by-person', 'sid-4')
    await join('three', 'by-sid', 'sid-5', 'grace')
    await database.db.transaction().execute((transaction) => queueLogoutsOf(transaction, 'ada', now))
    const rows = await deliveries().claimDue(10)
    expect(rows.map(({ client_id, sid }) => `${names.get(client_id)} ${sid}`).toSorted()).toEqual([
      'by-person null',
      'by-sid sid-1',
      'by-sid sid-2',
    ])
    expect(await count('session_clients')).toBe(1)
  })

  test('nothing is owed where the end of the sessions is rolled back', async () => {
    await join('one', 'by-sid', 'sid-1')
    await expect(
      database.db.transaction().execute(async (transaction) => {
        await queueLogoutsOf(transaction, 'ada', now)
        throw new Error('something failed')
      }),
    ).rejects.toThrow('something failed')
    expect([await count('logout_deliveries'), await count('session_clients')]).toEqual([0, 1])
  })

  test('one client leaves, and the session and its other clients stay', async () => {
    await session('one')
    await join('one', 'by-sid', 'sid-1')
    await join('one', 'by-person', 'sid-2')
    expect(await deliveries().leaveSession('one', ids.get('by-sid') ?? '')).toMatchObject([
      { client_id: ids.get('by-sid'), sid: 'sid-1' },
    ])
    expect([await count('artifacts'), await count('session_clients')]).toEqual([1, 1])
  })

  test('two processes that look at once claim each delivery once', async () => {
    for (let each = 0; each < 40; each += 1) await join('one', 'by-sid', `sid-${each}`)
    await database.db.transaction().execute((transaction) => queueLogoutsOf(transaction, 'ada', now))
    const elsewhere = createLogoutDeliveries({ database: other, clock })
    const claimed = (await Promise.all([deliveries(), elsewhere].map((each) => each.claimDue(40)))).flat()
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(40)
    expect(claimed).toHaveLength(40)
    expect(await deliveries().claimDue(40)).toEqual([])
  })

  test('what a process claimed and never settled is due again half a minute later', async () => {
    await session('one')
    await join('one', 'by-sid', 'sid-1')
    const [mine] = await deliveries().endSession('one')
    now += 29
    expect(await deliveries().claimDue(10)).toEqual([])
    now += 1
    expect(await deliveries().claimDue(10)).toMatchObject([{ id: mine?.id, attempts: 2 }])
  })

  test('a refused delivery is tried five times in about ten minutes, then given up', async () => {
    const { id } = await owed()
    const attempts: number[] = []
    for (; now < START + 3_600; now += 1) {
      const [claimed] = await deliveries().claimDue(10)
      if (!claimed) continue
      attempts.push(now - START)
      await deliveries().settle(claimed, { status: 500, error: 'answered 500' })
      const next = nextAttemptAt(claimed.attempts, now)
      now = next === undefined ? START + 3_600 : next - 2
    }
    expect(attempts).toEqual([0, 5, 35, 155, 575])
    expect(only(await database.db.selectFrom('logout_deliveries').selectAll().execute())).toMatchObject({
      id,
      attempts: 5,
      last_status: 500,
      next_attempt_at: null,
      delivered_at: null,
      given_up_at: START + 575,
    })
  })

  test('a delivery that was taken, or can never be, is not tried again', async () => {
    await owed()
    const [first] = await deliveries().claimDue(1)
    if (!first) throw new Error('nothing was due')
    expect(await deliveries().settle(first, { status: 204, error: undefined })).toBeUndefined()
    expect(await deliveries().claimDue(1)).toEqual([])
    await join('two', 'by-sid', 'sid-9')
    const [second] = await deliveries().endSession('two')
    if (!second) throw new Error('nothing was owed')
    expect(await deliveries().settle(second, { status: undefined, error: 'gone', final: true })).toBeUndefined()
    now += 10_000
    expect(await deliveries().claimDue(1)).toEqual([])
  })

  test('settled deliveries are forgotten after a month, and clients of sessions that are no more after an hour', async () => {
    await owed()
    const [delivery] = await deliveries().claimDue(1)
    if (!delivery) throw new Error('nothing was due')
    await session('lives')
    await join('lives', 'by-sid', 'sid-2')
    await join('expired', 'by-sid', 'sid-3')
    now += 60 * 86_400
    expect(await deliveries().sweep(500)).toBe(1)
    expect(await count('session_clients')).toBe(1)
    await deliveries().settle(delivery, { status: 200, error: undefined })
    expect(await deliveries().sweep(500)).toBe(1)
    expect(await count('logout_deliveries')).toBe(0)
  })
})

function only<T>(rows: readonly T[]): T {
  const [row] = rows
  if (row === undefined || rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`)
  return row
}
