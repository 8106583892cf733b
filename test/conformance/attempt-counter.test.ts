// The counter of attempts keeps its limit whoever counts, however many at once, and forgets in time.
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tables } from '#core/tables.ts'
import { attemptCounters, type AttemptLimit, type AttemptTables } from '#platform/database/attempt-counter.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const NOW = 1_700_000_000
const MIGRATIONS = path.join(import.meta.dirname, '../../migrations')

describe.each(databases)('the counter of attempts on $name', (kind) => {
  let place: TestDatabase
  let hosts: Database<AttemptTables>[] = []
  const open = () => openDatabase<AttemptTables>(place.url, () => {})
  const db = () => {
    const [first] = hosts
    if (!first) throw new Error('no database is open')
    return first.db
  }
  const counters = () => attemptCounters(db())
  const limit = (key: string, more: Partial<AttemptLimit> = {}): AttemptLimit => ({
    key,
    most: 3,
    seconds: 60,
    from: 'first',
    ...more,
  })
  const countAt = async (times: readonly number[], one: AttemptLimit) => {
    const waits: (number | undefined)[] = []
    for (const time of times) waits.push(await counters().count([one], NOW + time))
    return waits
  }

  beforeAll(async () => {
    place = await kind.create()
    const migrating = openDatabase<Tables>(place.url, () => {})
    await migrate(migrating, MIGRATIONS)
    await migrating.close()
    hosts = [open(), open()]
  })
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()))
    await place.drop()
  })

  test('lets as many attempts through as its limit says, and then tells how long to wait', async () => {
    expect(await countAt([0, 10, 20, 30, 59, 60, 61], limit('from the first'))).toEqual([
      undefined,
      undefined,
      undefined,
      30,
      1,
      undefined,
      undefined,
    ])
  })

  test('counts from the last attempt that got through, where it is told to', async () => {
    expect(await countAt([0, 30, 60, 90, 119, 120], limit('from the last', { from: 'last' }))).toEqual([
      undefined,
      undefined,
      undefined,
      30,
      1,
      undefined,
    ])
  })

  test('takes back what was right, and never more than was counted', async () => {
    const one = limit('given back', { most: 1 })
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(await counters().count([one], NOW)).toBeUndefined()
      await counters().giveBack([one])
    }
    await counters().giveBack([one])
    expect(await countAt([1, 2], one)).toEqual([undefined, 58])
  })

  test('does not use up a later limit where an earlier one is reached', async () => {
    const limits = [limit('own', { most: 1 }), limit('shared', { most: 2 })]
    for (let attempt = 0; attempt < 5; attempt += 1) await counters().count(limits, NOW)
    expect(await countAt([0, 0], limit('shared', { most: 2 }))).toEqual([undefined, 60])
  })

  test('keeps its limit with 40 attempts at the same moment at two hosts', async () => {
    const one = limit('at once', { most: 7 })
    const waits = await Promise.all(
      Array.from({ length: 40 }, (_, index) => attemptCounters(hosts[index % 2]?.db ?? db()).count([one], NOW)),
    )
    expect(waits.filter((wait) => wait === undefined).length).toBe(7)
  })

  test('remembers after a restart, and forgets what is over', async () => {
    const one = limit('remembered', { most: 1, seconds: 5_000 })
    await counters().count([one], NOW)
    hosts.push(open())
    expect(await attemptCounters(hosts.at(-1)?.db ?? db()).count([one], NOW + 4_000)).toBe(1_000)
    expect(await counters().sweep(NOW + 4_999, 2)).toBe(2)
    while ((await counters().sweep(NOW + 4_999, 2)) > 0);
    expect(await db().selectFrom('attempt_counters').select('key').execute()).toEqual([{ key: 'remembered' }])
    expect(await counters().sweep(NOW + 5_000, 2)).toBe(1)
  })
})
