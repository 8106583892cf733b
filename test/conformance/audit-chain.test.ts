// The audit on every database: what is written is sealed into one chain, and whatever is done to it from outside is named.
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MIGRATIONS } from '#app/services.ts'
import { createAudit } from '#core/audit/audit.ts'
import { createAuditTrail } from '#core/audit/trail.ts'
import type { Services } from '#core/services.ts'
import type { Tables } from '#core/tables.ts'
import { copyDatabase, type CopyTables } from '#platform/database/copy.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { databases, type TestDatabase } from '../support/databases.ts'
import { servicesOver } from '../support/services.ts'

const DAY = 86_400
const BY = { kind: 'administrator' } as const

describe.each(databases)('the audit on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let services: Services
  let close: () => Promise<void>
  /** Another process on the same database. */
  let second: Database<Tables>
  const time = { now: 1_800_000_000 }
  const clock = { now: () => time.now }

  beforeAll(async () => {
    testDatabase = await create()
    ;({ services, close } = await servicesOver(testDatabase.url, clock))
    second = openDatabase<Tables>(testDatabase.url, () => {})
  })
  beforeEach(async () => {
    for (const table of ['audit_events', 'audit_marks'] as const) await services.database.db.deleteFrom(table).execute()
  })
  afterAll(async () => {
    await second.close()
    await close()
    await testDatabase.drop()
  })

  const write = async (count: number): Promise<void> => {
    for (let index = 1; index <= count; index += 1)
      await services.audit.record({ type: 'client.created', by: BY, clientId: `client-${index}` })
  }
  const problems = async (head?: string) =>
    (await services.auditTrail.verify(head)).problems.map(({ problem }) => problem)
  const run = (statement: ReturnType<typeof sql>) => statement.execute(services.database.db)

  test.each(databases)('is as whole in a copy on $name', async (kind) => {
    await write(2)
    await services.audit.record({ type: 'client.created', by: BY, rule: 'é e\u0301 \u{1f600}', facts: { half: 0.5 } })
    await services.auditTrail.seal()
    await write(1)
    const target = await kind.create()
    const [from, to] = [testDatabase.url, target.url].map((url) => openDatabase<CopyTables>(url, () => {}))
    if (!from || !to) throw new Error('two were opened')
    const copy = openDatabase<Tables>(target.url, () => {})
    try {
      await copyDatabase({ source: from, target: to, migrations: MIGRATIONS, without: [] })
      const trail = createAuditTrail({ ...services, database: copy })
      expect(await trail.verify()).toMatchObject({ events: 4, problems: [] })
    } finally {
      for (const database of [from, to, copy]) await database.close()
      await target.drop()
    }
  })

  test('holds what was cut in the middle of a character', async () => {
    const long = `${'x'.repeat(999)}\u{1f600}`
    await services.audit.record({ type: 'client.created', by: BY, rule: long, facts: { long } })
    expect(await problems()).toEqual([])
  })

  test('is one chain that is verified from end to end, also in parts', async () => {
    await write(3)
    expect(await services.auditTrail.seal()).toBe(3)
    await write(2)
    const { events, head, problems: none } = await services.auditTrail.verify()
    expect({ events, none }).toEqual({ events: 5, none: [] })
    expect(head).toMatch(/^5\.[\w-]{43}$/)
    await write(1)
    expect(await problems(head)).toEqual([])
  })

  test.each([
    ['a row that is changed', () => sql`update audit_events set client_id = 'other' where sequence = 2`, /was changed/],
    ['facts that are changed', () => sql`update audit_events set facts = '{"x":1}' where sequence = 2`, /was changed/],
    ['a row that is removed', () => sql`delete from audit_events where sequence = 2`, /^is missing/],
    ['the last row removed', () => sql`delete from audit_events where sequence = 4`, /^is missing/],
    ['the first row removed', () => sql`delete from audit_events where sequence = 1`, /^is missing/],
    ['all rows removed', () => sql`delete from audit_events`, /^are missing/],
    ['a hash that is changed', () => sql`update audit_events set hash = 'x' where sequence = 2`, /stands in a place/],
    ['the mark of the end removed', () => sql`delete from audit_marks`, /mark where the chain ends was removed/],
    [
      'the mark of the end moved back',
      () => sql`update audit_marks set sequence = 3, hash = (select hash from audit_events where sequence = 3)`,
      /mark where the chain ends was changed/,
    ],
    [
      'a mark of the beginning that hides the first rows',
      () =>
        sql`insert into audit_marks (name, sequence, hash, proof) select 'start', sequence, hash, proof from audit_events where sequence = 2`,
      /mark where the chain begins was changed/,
    ],
    [
      'a row that is slipped in',
      () =>
        sql`insert into audit_events (id, at, type, actor, facts, proof) values ('x', 1, 'client.deleted', 'administrator', '{}', 'x')`,
      /was not written by Latchkey/,
    ],
  ])('names %s', async (_, deed, problem) => {
    await write(4)
    await services.auditTrail.seal()
    await run(deed())
    await write(1)
    expect(await problems()).toEqual(expect.arrayContaining([expect.stringMatching(problem)]))
  })

  test('names two rows that changed places', async () => {
    await write(4)
    await services.auditTrail.seal()
    const hashes = await services.auditTrail.verify()
    expect(hashes.problems).toEqual([])
    for (const [from, to] of [
      [2, 9],
      [3, 2],
      [9, 3],
    ])
      await run(sql`update audit_events set sequence = ${to} where sequence = ${from}`)
    expect(await problems()).toContainEqual(expect.stringContaining('stands in a place where it was not written'))
  })

  test('that was cut off together with its mark is missed by whoever kept its head', async () => {
    await write(2)
    await services.auditTrail.seal()
    const old = await run(sql`select * from audit_marks`)
    await write(2)
    const { head } = await services.auditTrail.verify()
    const [mark] = old.rows as { hash: string; proof: string }[]
    await run(sql`delete from audit_events where sequence > 2`)
    await run(sql`update audit_marks set sequence = 2, hash = ${mark?.hash}, proof = ${mark?.proof}`)
    expect(await problems()).toEqual([])
    expect(await problems(head)).toContainEqual(expect.stringContaining('the head that was given'))
    await expect(services.auditTrail.verify('nonsense')).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('is sealed once however many processes seal, without a fork', async () => {
    const elsewhere = createAuditTrail({ ...services, database: second })
    const otherAudit = createAudit({ ...services, database: second })
    const writing = Array.from({ length: 60 }, (_, index) =>
      (index % 2 === 0 ? services.audit : otherAudit).record({ type: 'group.created', by: BY }),
    )
    const sealing = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? services.auditTrail : elsewhere).seal())
    await Promise.all([...writing, ...sealing])
    const { events, problems: none } = await elsewhere.verify()
    expect({ events, none }).toEqual({ events: 60, none: [] })
  })

  test('is with the transaction that it tells of, or not at all', async () => {
    const failing = services.database.db.transaction().execute(async (transaction) => {
      await services.audit.record({ type: 'api.created', by: BY }, transaction)
      throw new Error('undone')
    })
    await expect(failing).rejects.toThrow('undone')
    expect((await services.auditTrail.list({})).items).toEqual([])
  })

  test('forgets what is older than the retention, and what is left is still proven', async () => {
    await write(3)
    await services.auditTrail.seal()
    time.now += 200 * DAY
    await write(2)
    await services.auditTrail.seal()
    time.now += 200 * DAY
    expect(await services.auditTrail.sweep(2)).toBe(2)
    expect(await services.auditTrail.sweep(500)).toBe(1)
    expect(await services.auditTrail.sweep(500)).toBe(0)
    expect(await services.auditTrail.verify()).toMatchObject({ events: 2, problems: [] })
    await run(sql`delete from audit_events where sequence = 4`)
    expect(await problems()).toContain('is missing')
  })

  test('names what was deleted for its age and put back, with its place in the chain or without', async () => {
    await write(3)
    await services.auditTrail.seal()
    const { db } = services.database
    const [first, second] = await db.selectFrom('audit_events').selectAll().orderBy('sequence').execute()
    if (!first || !second) throw new Error('three were written')
    time.now += 400 * DAY
    await services.auditTrail.sweep(500)
    await db
      .insertInto('audit_events')
      .values([first, { ...second, sequence: null, hash: null }])
      .execute()
    await write(1)
    const putBack = [{ where: second.id }, { where: 'start' }]
    expect(await services.auditTrail.verify()).toMatchObject({ events: 2, problems: putBack })
    time.now += 400 * DAY
    await services.auditTrail.sweep(500)
    expect((await services.auditTrail.verify()).problems).toMatchObject([{ where: 'start' }])
  })

  test('takes rows that were sealed out of order for genuine, also when what is as old was deleted', async () => {
    await write(1)
    time.now += 1
    await write(1)
    await services.auditTrail.seal()
    time.now -= 1
    await write(1)
    await services.auditTrail.seal()
    time.now += 365 * DAY + 1
    expect(await services.auditTrail.sweep(500)).toBe(1)
    expect(await problems()).toEqual([])
  })

  test('goes on forgetting behind rows that are dated in the future', async () => {
    await write(1)
    time.now += 2_000 * DAY
    await write(3)
    await services.auditTrail.seal()
    time.now -= 2_000 * DAY
    await write(1)
    await services.auditTrail.seal()
    time.now += 400 * DAY
    await write(1)
    await services.auditTrail.seal()
    expect(await services.auditTrail.sweep(2)).toBe(5)
    expect(await services.auditTrail.verify()).toMatchObject({ events: 1, problems: [] })
  })

  test('is listed newest first, by person, client, type and time, page by page', async () => {
    const { id } = await services.accounts.create({ email: 'ada@example.com' })
    await write(3)
    time.now += 3_600
    await services.audit.record({
      type: 'sign_in.succeeded',
      by: { kind: 'person' },
      accountId: id,
      clientId: 'client-1',
    })
    const types = async (query: Record<string, unknown>) =>
      (await services.auditTrail.list(query)).items.map(({ type }) => type)
    expect(await types({ user: id })).toEqual(['sign_in.succeeded', 'account.created'])
    expect(await types({ client: 'client-1' })).toEqual(['sign_in.succeeded', 'client.created'])
    expect(await types({ type: 'sign_in' })).toEqual(['sign_in.succeeded'])
    expect(await types({ type: 'sign_in.succeeded', since: '30m' })).toEqual(['sign_in.succeeded'])
    expect(await types({ type: 'client.created', since: '30m' })).toEqual([])
    const first = await services.auditTrail.list({ limit: 2 })
    const rest = await services.auditTrail.list({ cursor: first.next })
    expect(new Set([...first.items, ...rest.items].map((entry) => entry.id)).size).toBe(5)
    for (const wrong of [{ type: 'sign_on' }, { since: 'x' }, { cursor: 'x' }, { limit: 0 }, { colour: 'red' }])
      await expect(services.auditTrail.list(wrong)).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('A114 keeps one bounded line in each column, whatever was sent', async () => {
    const forged = '\r\n\u001b[31m\u2028\u202e"\\\u0000' + 'x'.repeat(100_000)
    services.audit.refused({
      type: 'token.refused',
      by: { kind: 'unknown', request: { id: forged, clientAddress: forged } },
      clientId: forged,
      rule: forged,
      facts: {
        error: forged,
        received: { client_id: forged, redirect_uris: Array.from({ length: 100 }, () => forged) },
      },
    })
    await services.audit.flush()
    const [entry] = (await services.auditTrail.list({ type: 'token' })).items
    const text = JSON.stringify(entry)
    expect(text.length).toBeLessThan(8_000)
    expect(text).not.toMatch(/[\p{Cc}\u2028\u202e]|[^\\]\\[nrtu]/u)
    expect(await problems()).toEqual([])
  })

  test('A30 counts what a flood is refused beyond a budget, and keeps room for others', async () => {
    const audit = createAudit(services)
    const refuse = (network: string) =>
      audit.refused({ type: 'sign_in.refused', by: { kind: 'unknown', request: { id: 'x', clientAddress: network } } })
    for (let count = 0; count < 1_500; count += 1) refuse(`2001:db8::${(count % 500).toString(16)}`)
    for (let count = 0; count < 10; count += 1) refuse('192.0.2.1')
    await audit.close()
    const rows = await services.database.db.selectFrom('audit_events').select(['address', 'facts']).execute()
    expect(rows.filter(({ address }) => address?.startsWith('2001:'))).toHaveLength(1_000)
    expect(rows.filter(({ address }) => address === '192.0.2.1')).toHaveLength(10)
    expect(rows.filter(({ address }) => address === null).map(({ facts }) => JSON.parse(facts) as unknown)).toEqual([
      { network: '2001:db8:0:0::/64', refusals: 500 },
    ])
  })
})
