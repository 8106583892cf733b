import path from 'node:path'
import { hash as argon2Hash } from 'argon2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccounts, type Accounts } from '#core/accounts/accounts.ts'
import { createPasswords, type Passwords } from '#core/accounts/passwords.ts'
import { accountStore } from '#core/accounts/store.ts'
import { artifactStore } from '#core/artifacts/store.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { databases, type TestDatabase } from '../support/databases.ts'
import { accountsNeeds, SOMEWHERE } from '../support/accounts.ts'

const PASSWORD = 'quiet harbour lantern'
const NOW = 1_000

describe.each(databases)('access of people on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>
  let accounts: Accounts
  const clock = { now: () => NOW }
  /** The hashes that a password was checked against, each at the price of one. */
  let verified: (string | undefined)[] = []
  const real = createPasswords()
  const passwords: Passwords = {
    ...real,
    verify: (hash, password, admit) => {
      verified.push(hash)
      return real.verify(hash, password, admit)
    },
  }

  beforeAll(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    await migrate(database, path.resolve('migrations'))
    accounts = createAccounts({ ...accountsNeeds(database, clock), passwords })
  })
  afterAll(async () => {
    await database.close()
    await testDatabase.drop()
  })

  describe('signing in', () => {
    let id: string
    beforeAll(async () => {
      id = (await accounts.create({ email: 'signin@example.com', username: 'Sign.In' }, PASSWORD)).id
      await accounts.create({ email: 'none@example.com', username: 'none' })
      const { id: gone } = await accounts.create({ email: 'disabled@example.com', username: 'disabled' }, PASSWORD)
      await accounts.disable(gone)
    })

    test.each(['signin@example.com', 'SIGNIN@Example.com', 'sign.in', 'SIGN.IN', ' sign.in '])(
      'works as %j',
      async (who) => {
        expect((await accounts.authenticate(who, PASSWORD, SOMEWHERE))?.id).toBe(id)
      },
    )

    test('A27 A28 costs one hash and says nothing for every way of failing', async () => {
      const tries = [
        ['signin@example.com', PASSWORD, true],
        ['signin@example.com', 'wrong', false],
        ['unknown@example.com', PASSWORD, false],
        ['unknown', PASSWORD, false],
        ['none', PASSWORD, false],
        ['none', '', false],
        ['disabled', PASSWORD, false],
        ['disabled@example.com', 'wrong', false],
        ['', PASSWORD, false],
        ['nul\0', PASSWORD, false],
        ['x'.repeat(10_000), PASSWORD, false],
        [id, PASSWORD, false],
      ] as const
      for (const [who, password, right] of tries) {
        verified = []
        const account = await accounts.authenticate(who, password, SOMEWHERE)
        expect([who, account?.id]).toEqual([who, right ? id : undefined])
        expect(verified).toEqual([expect.any(String)])
      }
    })

    test('A28 computes for a name without a hash of its own the hash of anybody, and always the same one', async () => {
      const bcrypt = '$2b$12$abcdefghijklmnopqrstuuFY4fLzVfxbWLOYZ8ktU0tHBhS6mLbKe'
      const argon2 = `$argon2id$v=19$m=1024,t=2,p=1$${'a'.repeat(22)}$${'b'.repeat(43)}`
      const people = Array.from('0123456789abcdef', (digit, index) => ({
        id: `${digit.repeat(8)}-0000-4000-8000-000000000000`,
        email: `from-elsewhere-${digit}@example.com`,
        password_hash: index % 2 === 0 ? bcrypt : argon2,
      }))
      await accounts.importPeople(people, { dryRun: false })
      const known = createAccounts({
        ...accountsNeeds(database, clock),
        passwords: { ...real, verify: async (hash) => Boolean(verified.push(hash)) },
      })
      const hashesFor = async (name: string): Promise<(string | undefined)[]> => {
        verified = []
        expect(await known.authenticate(name, PASSWORD, SOMEWHERE)).toBeUndefined()
        expect(await known.authenticate(name, 'wrong', SOMEWHERE)).toBeUndefined()
        return verified
      }
      const nobody: (string | undefined)[] = []
      for (let index = 0; index < 30; index += 1) {
        const [first, second] = await hashesFor(`nobody-${index}`)
        expect(first).toBe(second)
        nobody.push(first)
      }
      expect(nobody.filter((hash) => hash === bcrypt).length).toBeGreaterThan(0)
      expect(nobody.filter((hash) => hash === argon2).length).toBeGreaterThan(0)
      const [own] = await hashesFor('disabled')
      expect(own).toBe((await accountStore(database.db).findCredentials('username_key', 'disabled'))?.passwordHash)
    })

    test('puts a hash of today in the place of a weaker one', async () => {
      const store = accountStore(database.db)
      const weak = await argon2Hash(PASSWORD, { memoryCost: 4_096, timeCost: 2, parallelism: 1 })
      const person = await accounts.create({ email: 'old-hash@example.com' })
      await store.update(person.id, { password_hash: weak }, NOW)
      const all = await Promise.all(
        Array.from({ length: 3 }, () => accounts.authenticate('old-hash@example.com', PASSWORD, SOMEWHERE)),
      )
      expect(all.map((account) => account?.id)).toEqual(Array(3).fill(person.id))
      const after = (await store.findCredentials('email_key', 'old-hash@example.com'))?.passwordHash ?? ''
      expect(passwords.needsRehash(after)).toBe(false)
      expect((await accounts.authenticate('old-hash@example.com', PASSWORD, SOMEWHERE))?.id).toBe(person.id)
    })

    test('does not let in who was disabled while the password was checked', async () => {
      const person = await accounts.create({ email: 'meanwhile@example.com' }, PASSWORD)
      const slow = createAccounts({
        ...accountsNeeds(database, clock),
        passwords: {
          ...real,
          async verify(hash, password) {
            const right = await real.verify(hash, password)
            await accounts.disable(person.id)
            return right
          },
        },
      })
      expect(await slow.authenticate('meanwhile@example.com', PASSWORD, SOMEWHERE)).toBeUndefined()
    })

    test('A35 refuses a weak password at creation and at a change, and keeps the old one', async () => {
      const bad = { code: 'invalid_input', fields: { password: expect.any(String) } }
      await expect(accounts.create({ email: 'weak@example.com' }, 'password1')).rejects.toMatchObject(bad)
      expect(await accounts.find('weak@example.com')).toBeUndefined()
      await expect(accounts.setPassword(id, 'Signin@Example.com')).rejects.toMatchObject(bad)
      expect((await accounts.authenticate('sign.in', PASSWORD, SOMEWHERE))?.id).toBe(id)
    })
  })

  describe('what stands on a person ends', () => {
    const artifacts = () => artifactStore(database.db)
    async function withArtifacts(email: string): Promise<string> {
      const { id } = await accounts.create({ email }, PASSWORD)
      for (const model of ['Session', 'Grant', 'RefreshToken', 'AuthorizationCode']) {
        await artifacts().upsert({
          id: `${model}-${id}`,
          model,
          payload: '{}',
          grant_id: null,
          account_id: id,
          client_id: null,
          session_uid: null,
          user_code: null,
          expires_at: null,
        })
      }
      return id
    }
    const left = async (id: string): Promise<number> => {
      const found = await Promise.all(
        ['Session', 'Grant', 'RefreshToken', 'AuthorizationCode'].map((model) =>
          artifacts().find(`${model}-${id}`, NOW),
        ),
      )
      return found.filter((artifact) => artifact !== undefined).length
    }

    test.each([
      ['disable', (id: string) => accounts.disable(id)],
      ['set-password', (id: string) => accounts.setPassword(id, 'another quiet harbour')],
      ['sign-out', (id: string) => accounts.signOut(id)],
      ['delete', (id: string) => accounts.remove(id)],
    ])('A52 A110 with %s, and nobody else notices', async (verb, end) => {
      const id = await withArtifacts(`ends-${verb}@example.com`)
      const other = await withArtifacts(`stays-${verb}@example.com`)
      await end(id)
      expect(await left(id)).toBe(0)
      expect(await left(other)).toBe(4)
      await expect(end('nobody')).rejects.toMatchObject({ code: 'not_found' })
    })

    test('a disabled person signs in again once enabled', async () => {
      const { id } = await accounts.create({ email: 'back@example.com' }, PASSWORD)
      expect((await accounts.disable(id)).disabled).toBe(true)
      expect(await accounts.authenticate('back@example.com', PASSWORD, SOMEWHERE)).toBeUndefined()
      expect((await accounts.enable(id)).disabled).toBe(false)
      expect((await accounts.authenticate('back@example.com', PASSWORD, SOMEWHERE))?.id).toBe(id)
    })

    test('a deleted person is gone, and who comes with the same names is somebody else', async () => {
      const before = await accounts.create({ email: 'gone@example.com', username: 'gone' })
      expect((await accounts.remove(before.id)).id).toBe(before.id)
      expect(await accounts.findById(before.id)).toBeUndefined()
      const after = await accounts.create({ email: 'gone@example.com', username: 'gone' })
      expect(after.id).not.toBe(before.id)
    })
  })
})
