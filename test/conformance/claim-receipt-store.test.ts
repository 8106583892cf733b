// Receipts of released claims, on every database: one row a release, kept as long as the setting says.
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAccounts, type Accounts } from '#core/accounts/accounts.ts'
import { createPasswords } from '#core/accounts/passwords.ts'
import { createClaimReceipts } from '#core/claim-receipts/claim-receipts.ts'
import { claimReceiptStore, type ClaimReceiptStore } from '#core/claim-receipts/store.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import { openLog } from '#platform/log.ts'
import { databases, type TestDatabase } from '../support/databases.ts'
import { accountsNeeds } from '../support/accounts.ts'

const MIGRATIONS = path.join(import.meta.dirname, '../../migrations')
const DAY = 86_400

describe.each(databases)('claim receipts on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>
  let accounts: Accounts
  let ada: string
  let grace: string
  const time = { now: 1_800_000_000 }
  const clock = { now: () => time.now }
  const log = openLog({ level: 'silent', format: 'json' })

  beforeAll(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    await migrate(database, MIGRATIONS)
    accounts = createAccounts({ ...accountsNeeds(database, clock), passwords: createPasswords() })
    ada = (await accounts.create({ email: 'ada@example.com', username: 'ada' })).id
    grace = (await accounts.create({ email: 'grace@example.com' })).id
  })
  beforeEach(async () => void (await database.db.deleteFrom('claim_receipts').execute()))
  afterAll(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const receiptsKept = (retentionSeconds = 90 * DAY, store: ClaimReceiptStore = claimReceiptStore(database.db)) =>
    createClaimReceipts({
      store,
      whenStored: database.whenStored,
      accounts,
      clock,
      log,
      settings: { claimReceipts: { retentionSeconds } },
    })
  const release = (accountId: string, clientId = 'a-client', claims = ['sub', 'email']) =>
    ({ accountId, clientId, place: 'userinfo', claims }) as const

  test('are a row for each release, however alike, with the names in one order', async () => {
    const receipts = receiptsKept()
    for (let times = 0; times < 3; times += 1) receipts.record(release(ada))
    await receipts.flush()
    const { items, next } = await receipts.list({})
    expect(items).toHaveLength(3)
    expect(next).toBeUndefined()
    for (const item of items) {
      expect(item).toEqual({
        id: expect.any(String),
        at: time.now,
        accountId: ada,
        clientId: 'a-client',
        place: 'userinfo',
        claims: ['email', 'sub'],
      })
    }
  })

  test('are stored by themselves within a second', async () => {
    const receipts = receiptsKept()
    receipts.record(release(ada))
    await expect.poll(async () => (await receipts.list({})).items.length, { timeout: 20_000 }).toBe(1)
  })

  test('are all stored when many are released at once, in few statements', async () => {
    const store = claimReceiptStore(database.db)
    const sizes: number[] = []
    const receipts = receiptsKept(DAY, { ...store, insert: (rows) => (sizes.push(rows.length), store.insert(rows)) })
    for (let index = 0; index < 500; index += 1) receipts.record(release(ada, `client-${index}`))
    await receipts.flush()
    const clients = await database.db.selectFrom('claim_receipts').select('client_id').execute()
    expect(new Set(clients.map((row) => row.client_id)).size).toBe(500)
    expect(sizes).toEqual([200, 200, 100])
  })

  test('of people who are there are stored although one released with them is of somebody who is not', async () => {
    const receipts = receiptsKept()
    for (const accountId of [ada, 'nobody', grace, ada]) receipts.record(release(accountId))
    await receipts.flush()
    const { items } = await receipts.list({})
    expect(items.map(({ accountId }) => accountId).toSorted()).toEqual([ada, ada, grace].toSorted())
  })

  describe('while none can be stored', () => {
    const breakable = () => {
      const store = claimReceiptStore(database.db)
      const state = { error: new Error('the disk is full') as Error | undefined, tries: 0 }
      const insert: ClaimReceiptStore['insert'] = async (rows) => {
        state.tries += 1
        if (state.error) throw state.error
        await store.insert(rows)
      }
      return { state, receipts: receiptsKept(DAY, { ...store, insert }) }
    }

    test.each([
      ['the disk is full', new Error('the disk is full')],
      ['the database is away', new AppError('unavailable', 'The database is away.')],
    ])('since %s, they wait, and are stored in their order by themselves afterwards', async (_, error) => {
      const { state, receipts } = breakable()
      state.error = error
      for (let index = 0; index < 300; index += 1) receipts.record(release(ada, `client-${index}`))
      await receipts.flush()
      expect(state.tries).toBeLessThanOrEqual(2)
      expect((await receipts.list({})).items).toEqual([])
      state.error = undefined
      await expect.poll(async () => (await receipts.list({ limit: 500 })).items.length, { timeout: 20_000 }).toBe(300)
    })

    test('ten thousand wait, and the next release is refused', async () => {
      const { state, receipts } = breakable()
      for (let index = 0; index < 10_000; index += 1) receipts.record(release(ada))
      expect(() => receipts.record(release(ada))).toThrow(
        expect.objectContaining({ code: 'unavailable', retryAfterSeconds: 5 }),
      )
      state.error = undefined
      await receipts.flush()
      receipts.record(release(ada))
      await receipts.close()
      const { count } = await database.db
        .selectFrom('claim_receipts')
        .select((select) => select.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      expect(Number(count)).toBe(10_001)
    })
  })

  test('that wait are stored when the server stops', async () => {
    const receipts = receiptsKept()
    receipts.record(release(ada))
    const stored = receipts.flush()
    receipts.record(release(grace))
    await receipts.close()
    await stored
    expect((await receipts.list({})).items).toHaveLength(2)
  })

  test('are listed newest first, by person, client and time, page by page', async () => {
    const receipts = receiptsKept()
    for (let hour = 0; hour < 6; hour += 1) {
      time.now += 3_600
      receipts.record(release(hour % 2 === 0 ? ada : grace, `client-${hour % 3}`))
    }
    await receipts.flush()
    const clientsOf = async (query: object) => (await receipts.list(query)).items.map(({ clientId }) => clientId)
    expect(await clientsOf({})).toEqual(['client-2', 'client-1', 'client-0', 'client-2', 'client-1', 'client-0'])
    expect(await clientsOf({ user: 'ada' })).toEqual(['client-1', 'client-2', 'client-0'])
    expect(await clientsOf({ user: 'grace@example.com', client: 'client-2' })).toEqual(['client-2'])
    expect(await clientsOf({ since: '2h' })).toEqual(['client-2', 'client-1', 'client-0'])
    expect(await clientsOf({ since: '90m' })).toEqual(['client-2', 'client-1'])
    const first = await receipts.list({ limit: '4' })
    const second = await receipts.list({ limit: '4', cursor: first.next })
    expect([...first.items, ...second.items].map(({ clientId }) => clientId)).toEqual(await clientsOf({}))
    expect(second.next).toBeUndefined()
  })

  test.each([
    [{ since: 'yesterday' }, 'since'],
    [{ limit: 0 }, 'limit'],
    [{ cursor: 'AAAA' }, 'cursor'],
    [{ client: 'a b' }, 'client'],
  ])('refuse the query %j', async (query, member) => {
    const refused = await receiptsKept()
      .list(query)
      .catch((error: unknown) => error)
    expect(refused instanceof AppError && Object.keys(refused.fields ?? {})).toEqual([member])
  })

  test('of nobody are not found', async () => {
    await expect(receiptsKept().list({ user: 'nobody' })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('older than the retention are swept, oldest first and so many at a time', async () => {
    const receipts = receiptsKept(DAY)
    for (let times = 0; times < 5; times += 1) {
      receipts.record(release(ada))
      time.now += 1
    }
    await receipts.flush()
    time.now += DAY - 1
    expect([await receipts.sweep(2), await receipts.sweep(10), await receipts.sweep(10)]).toEqual([2, 2, 0])
    expect((await receipts.list({})).items.map(({ at }) => at)).toEqual([time.now - DAY])
  })

  test('are not written where none are kept, and those of before are swept', async () => {
    const kept = receiptsKept()
    kept.record(release(ada))
    await kept.flush()
    const none = receiptsKept(0)
    none.record(release(ada))
    await none.flush()
    time.now += 1
    expect(await none.sweep(10)).toBe(1)
    expect((await none.list({})).items).toEqual([])
  })

  test('go with the person', async () => {
    const receipts = receiptsKept()
    const { id } = await accounts.create({ email: 'leaving@example.com' })
    receipts.record(release(id))
    receipts.record(release(ada))
    await receipts.flush()
    await accounts.remove(id)
    expect((await receipts.list({})).items.map(({ accountId }) => accountId)).toEqual([ada])
  })

  test('custom claims of a person are stored, changed one by one, and found with the person', async () => {
    const { id } = await accounts.create({ email: 'kim@example.com', custom_claims: { staff_no: '007', roles: ['a'] } })
    expect((await accounts.findById(id))?.customClaims).toEqual({ roles: ['a'], staff_no: '007' })
    await accounts.update(id, { custom_claims: { roles: null, level: 3 } })
    await accounts.update(id, { given_name: 'Kim' })
    expect((await accounts.findById(id))?.customClaims).toEqual({ level: 3, staff_no: '007' })
  })

  test('two changes of one person’s custom claims at once are both kept', async () => {
    const { id } = await accounts.create({ email: 'two@example.com' })
    await Promise.all([
      accounts.update(id, { custom_claims: { one: 1 } }),
      accounts.update(id, { custom_claims: { other: 2 } }),
    ])
    expect((await accounts.findById(id))?.customClaims).toEqual({ one: 1, other: 2 })
  })
})
