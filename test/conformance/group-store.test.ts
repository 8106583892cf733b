import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccounts, type Accounts } from '#core/accounts/accounts.ts'
import { createPasswords } from '#core/accounts/passwords.ts'
import { groupJson } from '#core/groups/group.ts'
import { createGroups, type Groups } from '#core/groups/groups.ts'
import { requiredGroupIds } from '#core/groups/required-groups.ts'
import { groupStore } from '#core/groups/store.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { databases, type TestDatabase } from '../support/databases.ts'
import { accountsNeeds } from '../support/accounts.ts'

describe.each(databases)('groups on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>
  let accounts: Accounts
  let groups: Groups
  const clock = { now: () => 5_000 }

  beforeAll(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    await migrate(database, path.resolve('migrations'))
    accounts = createAccounts({ ...accountsNeeds(database, clock), passwords: createPasswords() })
    groups = createGroups({ audit: auditOn(database), database, clock, accounts })
    await accounts.create({ email: 'ada@example.com', username: 'ada' })
    await accounts.create({ email: 'grace@example.com', username: 'grace' })
  })
  afterAll(async () => {
    await database.close()
    await testDatabase.drop()
  })

  test('a group is found by its name, exactly as written', async () => {
    const group = await groups.create('  Editors ')
    expect(groupJson(group)).toEqual({ id: expect.any(String), name: 'Editors', members: 0, created_at: 5_000 })
    expect(await groups.find('Editors')).toEqual(group)
    expect(await groups.find('editors')).toBeUndefined()
    expect(await groups.find('Edit\0ors')).toBeUndefined()
    expect((await groups.create('editors')).id).not.toBe(group.id)
  })

  test('a name that is taken is refused, also to one of two who come at once', async () => {
    const results = await Promise.allSettled([groups.create('once'), groups.create('once')])
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'conflict', fields: { name: expect.any(String) } },
    })
  })

  test.each(['', '   ', 'a\nb', 'a\u001fb', 'x'.repeat(129), 7, undefined])('%j is no name', async (name) => {
    await expect(groups.create(name)).rejects.toMatchObject({
      code: 'invalid_input',
      fields: { name: expect.any(String) },
    })
  })

  test('people come and go', async () => {
    await groups.create('crew')
    expect((await groups.addMember('crew', 'ada@example.com')).members).toBe(1)
    expect((await groups.addMember('crew', 'ada')).members).toBe(1)
    expect((await groups.addMember('crew', 'grace')).members).toBe(2)
    expect((await accounts.get('ada')).groups).toEqual(['crew'])
    expect((await groups.removeMember('crew', 'ada')).members).toBe(1)
    expect((await accounts.get('ada')).groups).toEqual([])
    await expect(groups.removeMember('crew', 'ada')).rejects.toMatchObject({ code: 'not_found' })
    await expect(groups.addMember('crew', 'nobody')).rejects.toMatchObject({ code: 'not_found' })
    await expect(groups.addMember('no crew', 'ada')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a deleted group takes its memberships with it and leaves the people', async () => {
    await groups.create('short-lived')
    await groups.addMember('short-lived', 'ada')
    expect((await groups.remove('short-lived')).members).toBe(1)
    expect((await accounts.get('ada')).groups).toEqual([])
    await expect(groups.remove('short-lived')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a deleted person leaves their groups', async () => {
    const { id } = await accounts.create({ email: 'brief@example.com' })
    await groups.create('with-guests')
    await groups.addMember('with-guests', id)
    await accounts.remove(id)
    expect((await groups.find('with-guests'))?.members).toBe(0)
  })

  test('every unknown name of a list is told at once', async () => {
    const { id } = await groups.create('known')
    expect(await requiredGroupIds(groupStore(database.db), ['known'])).toEqual([id])
    expect(await requiredGroupIds(groupStore(database.db), [])).toEqual([])
    await expect(requiredGroupIds(groupStore(database.db), ['one', 'known', 'two'])).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'There is no group called "one", "two".',
    })
  })

  test('the list is in the order of names', async () => {
    const names = (await groups.list()).map(({ name }) => name)
    expect(names).toContain('crew')
    expect(names.indexOf('crew')).toBeLessThan(names.indexOf('with-guests'))
  })
})
