import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takeLease } from '#platform/database/lease.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { MIGRATIONS } from '#app/services.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const NOW = 1_800_000_000

describe.each(databases)('a lease on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let hosts: Database<Tables>[]

  beforeAll(async () => {
    testDatabase = await create()
    hosts = Array.from({ length: 5 }, () => openDatabase<Tables>(testDatabase.url, () => {}))
    for (const host of hosts.slice(0, 1)) await migrate(host, MIGRATIONS)
  })
  afterAll(async () => {
    for (const host of hosts) await host.close()
    await testDatabase.drop()
  })

  const take = (holder: number, name: string, now: number, seconds = 60) => {
    const host = hosts[holder]
    if (!host) throw new Error('there is no such host')
    return takeLease(host.db.withTables(), name, `host-${holder}`, now, seconds)
  }

  test('is had by one of two holders, who may renew it while the other waits until it has run out', async () => {
    expect(await take(0, 'sweep', NOW)).toBe(true)
    expect(await take(1, 'sweep', NOW)).toBe(false)
    expect(await take(0, 'sweep', NOW + 59)).toBe(true)
    expect(await take(1, 'sweep', NOW + 60)).toBe(false)
    expect(await take(1, 'sweep', NOW + 59 + 60)).toBe(true)
    expect(await take(0, 'sweep', NOW + 59 + 60)).toBe(false)
  })

  test('of five who ask at the same moment, for a new one and for one that has run out, one has it', async () => {
    for (const now of [NOW, NOW + 60]) {
      const answers = await Promise.all(hosts.flatMap((_, holder) => [take(holder, 'race', now, 60)]))
      expect(answers.filter(Boolean)).toHaveLength(1)
    }
  })

  test('of one name says nothing about another', async () => {
    expect(await take(0, 'one', NOW)).toBe(true)
    expect(await take(1, 'other', NOW)).toBe(true)
  })
})
