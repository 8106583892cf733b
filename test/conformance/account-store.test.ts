import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccounts, type Accounts } from '#core/accounts/accounts.ts'
import { createPasswords } from '#core/accounts/passwords.ts'
import { createGroups, type Groups } from '#core/groups/groups.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { databases, type TestDatabase } from '../support/databases.ts'
import { accountsNeeds } from '../support/accounts.ts'

const PASSWORD = 'quiet harbour lantern'

describe.each(databases)('people on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>
  let accounts: Accounts
  let groups: Groups
  let time = 1_000
  const clock = { now: () => time }
  const passwords = createPasswords()

  beforeAll(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    await migrate(database, path.resolve('migrations'))
    accounts = createAccounts({ ...accountsNeeds(database, clock), passwords })
    groups = createGroups({ audit: auditOn(database), database, clock, accounts })
    await groups.create('staff')
    await groups.create('Board, "inner"')
  })
  afterAll(async () => {
    await database.close()
    await testDatabase.drop()
  })

  test('a person is read as they were written', async () => {
    time = 2_000
    const created = await accounts.create({
      email: 'Ada@Example.com',
      username: 'Ada',
      given_name: 'Ada',
      family_name: 'Lovelace',
      email_verified: true,
      admin: true,
      groups: ['staff', 'Board, "inner"'],
      address: { locality: 'London' },
      phone_number: '+442079460000',
    })
    expect(created).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      username: 'Ada',
      email: 'Ada@Example.com',
      emailVerified: true,
      name: undefined,
      givenName: 'Ada',
      familyName: 'Lovelace',
      claims: { phone_number: '+442079460000', address: { locality: 'London' } },
      customClaims: {},
      groups: ['Board, "inner"', 'staff'],
      admin: true,
      disabled: false,
      createdAt: 2_000,
      updatedAt: 2_000,
    })
    for (const who of [created.id, 'ada@example.COM', 'ADA', ' ada ', 'ａｄａ'])
      expect(await accounts.find(who)).toEqual(created)
    expect(await accounts.findById(created.id)).toEqual(created)
    for (const who of ['', 'nobody', 'nobody@example.com', 'a\0da', 'x'.repeat(5_000)])
      expect(await accounts.find(who)).toBeUndefined()
    await expect(accounts.get('nobody')).rejects.toMatchObject({ code: 'not_found', hint: expect.any(String) })
  })

  test('an id names its person even where a user name was made to look like it', async () => {
    const person = await accounts.create({ email: 'genuine@example.com' })
    await accounts.create({ email: 'pretender@example.com', username: person.id })
    expect((await accounts.get(person.id)).email).toBe('genuine@example.com')
  })

  test('an e-mail address or user name that somebody has is refused, whatever its case', async () => {
    await accounts.create({ email: 'taken@example.com', username: 'taken' })
    const other = await accounts.create({ email: 'other@example.com' })
    await expect(accounts.create({ email: 'TAKEN@example.com' })).rejects.toMatchObject({
      code: 'conflict',
      fields: { email: expect.any(String) },
    })
    await expect(accounts.create({ email: 'new@example.com', username: 'ＴＡＫＥＮ' })).rejects.toMatchObject({
      code: 'conflict',
      fields: { username: expect.any(String) },
    })
    await expect(accounts.update(other.id, { email: 'Taken@example.com', name: 'Other' })).rejects.toMatchObject({
      code: 'conflict',
      fields: { email: expect.any(String) },
    })
    expect(await accounts.findById(other.id)).toEqual(other)
  })

  test('of twenty people created at once with one e-mail address one comes to be', async () => {
    const attempts = Array.from({ length: 20 }, () => accounts.create({ email: 'race@example.com', groups: ['staff'] }))
    const results = await Promise.allSettled(attempts)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const losers = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason)
    expect(losers).toEqual(
      losers.map(() => expect.objectContaining({ code: 'conflict', fields: { email: expect.any(String) } })),
    )
  })

  test('an unknown group is refused by name and leaves nobody behind', async () => {
    await expect(accounts.create({ email: 'lost@example.com', groups: ['staff', 'nowhere'] })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('"nowhere"'),
    })
    expect(await accounts.find('lost@example.com')).toBeUndefined()
  })

  test('a change touches what it names and nothing else', async () => {
    time = 3_000
    const before = await accounts.create({
      email: 'change@example.com',
      username: 'change',
      nickname: 'C',
      gender: 'x',
      groups: ['staff'],
    })
    time = 3_100
    expect(
      await accounts.update(before.id, { given_name: 'Charles', website: 'https://c.example/', nickname: null }),
    ).toEqual({
      ...before,
      givenName: 'Charles',
      claims: { gender: 'x', website: 'https://c.example/' },
      updatedAt: 3_100,
    })
    const replaced = await accounts.update(before.id, { groups: ['Board, "inner"'], username: null, admin: true })
    expect(replaced).toMatchObject({
      groups: ['Board, "inner"'],
      username: undefined,
      admin: true,
      givenName: 'Charles',
    })
    expect((await accounts.update(before.id, { groups: [] })).groups).toEqual([])
    expect(await accounts.find('change')).toBeUndefined()
    await expect(accounts.update('nobody', { name: 'x' })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('twenty changes at once all hold', async () => {
    const { id } = await accounts.create({ email: 'many@example.com' })
    const members = ['nickname', 'gender', 'middle_name', 'name', 'given_name']
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => accounts.update(id, { [members[index % 5] ?? '']: 'set' })),
    )
    expect(await accounts.findById(id)).toMatchObject({
      name: 'set',
      givenName: 'set',
      claims: { nickname: 'set', gender: 'set', middle_name: 'set' },
    })
  })

  test('a new e-mail address or phone number is not verified because the old one was', async () => {
    const { id } = await accounts.create({
      email: 'verified@example.com',
      email_verified: true,
      phone_number: '+442079460000',
      phone_number_verified: true,
    })
    expect(await accounts.update(id, { email: 'Verified@example.com', phone_number: '+442079460000' })).toMatchObject({
      emailVerified: true,
      claims: { phone_number_verified: true },
    })
    const moved = await accounts.update(id, { email: 'moved@example.com', phone_number: '+442079460001' })
    expect(moved).toMatchObject({ emailVerified: false, claims: { phone_number: '+442079460001' } })
    expect(moved.claims).not.toHaveProperty('phone_number_verified')
    expect(await accounts.update(id, { email: 'again@example.com', email_verified: true })).toMatchObject({
      emailVerified: true,
    })
  })

  test('the list goes through everybody once, oldest first, page by page', async () => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await accounts.list({ limit: 3, cursor })
      expect(page.items.length).toBeLessThanOrEqual(3)
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.next
    } while (cursor !== undefined)
    const all = await accounts.list({ limit: 500 })
    expect(seen).toEqual(all.items.map(({ id }) => id))
    expect(new Set(seen).size).toBe(seen.length)
    expect(all.next).toBeUndefined()
    const nulCursor = Buffer.from(JSON.stringify([1, '\0'])).toString('base64url')
    for (const bad of [
      { limit: 0 },
      { limit: 1.5 },
      { limit: 'many' },
      { cursor: 'x' },
      { cursor: 'W10' },
      { cursor: nulCursor },
    ]) {
      await expect(accounts.list(bad)).rejects.toMatchObject({ code: 'invalid_input', fields: expect.any(Object) })
    }
  })

  describe('a search', () => {
    beforeAll(async () => {
      await accounts.create({
        email: 'Search-1@example.com',
        username: 'Findable',
        given_name: 'Émile',
        family_name: 'Zola',
      })
      time += 1
      await accounts.create({ email: 'search-2@example.com', name: 'a_100%b!' })
      time += 1
      await accounts.create({ email: 'search-3@example.com', name: 'axx100xb' })
    })

    test.each([
      ['SEARCH-1', ['Search-1@example.com']],
      ['inDABLe', ['Search-1@example.com']],
      ['zOLa', ['Search-1@example.com']],
      ['émile', ['Search-1@example.com']],
      ['ÉMILE Z', ['Search-1@example.com']],
      ['earch-', ['Search-1@example.com', 'search-2@example.com', 'search-3@example.com']],
      ['_100%', ['search-2@example.com']],
      ['b!', ['search-2@example.com']],
      ['x%x', []],
      ["' or 1=1 --", []],
    ])('for %s finds by a part of any name and takes no character for a wildcard', async (search, expected) => {
      expect((await accounts.list({ search })).items.map(({ email }) => email)).toEqual(expected)
    })
  })

  test('of two processes that create one person at once one is told of the conflict', async () => {
    const second = openDatabase<Tables>(testDatabase.url, () => {})
    try {
      const elsewhere = createAccounts({ ...accountsNeeds(second, clock), passwords })
      const input = { email: 'two@example.com', username: 'two' }
      const results = await Promise.allSettled([accounts.create(input, PASSWORD), elsewhere.create(input, PASSWORD)])
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'conflict', fields: { email: expect.any(String), username: expect.any(String) } },
      })
    } finally {
      await second.close()
    }
  })
})
