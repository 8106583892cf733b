// `latchkey user import`: people of other systems come with their passwords, whatever form the file has, and nobody who
// cannot be taken keeps the others out.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Accounts } from '#core/accounts/accounts.ts'
import { accountStore } from '#core/accounts/store.ts'
import type { Services } from '#core/services.ts'
import { userCommands } from '#features/accounts/commands.ts'
import { runCommandLine } from '#platform/cli.ts'
import { databases } from '../support/databases.ts'
import { SOMEWHERE } from '../support/accounts.ts'
import { servicesOn, type TestServices } from '../support/services.ts'
import { captureTerminal } from '../support/terminal.ts'

const PASSWORD = 'quiet harbour lantern'
const DJANGO = 'pbkdf2_sha256$1000$saltysalt123$aT/Kawas81REsdAo0IpsZpk88+rBbozPM9etTTAsUj8='
const BCRYPT = '$2b$04$dtZq9UTwMq7t7Ru1Zt3At.6INlmIm0MjxUAxXTz127hl2vIQ/L7X.'

describe.each(databases)('user import on $name', (database) => {
  let opened: TestServices
  let services: Services
  let accounts: Accounts
  let folder: string

  beforeAll(async () => {
    opened = await servicesOn(database, { now: () => 1_700_000_000 })
    ;({ services } = opened)
    ;({ accounts } = services)
    await services.groups.create('staff')
    folder = mkdtempSync(path.join(tmpdir(), 'latchkey-import-'))
  })
  afterAll(async () => {
    await opened.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function importing(content: string | Buffer, ...options: string[]) {
    writeFileSync(path.join(folder, 'people.json'), content)
    const { terminal, stdout, stderr } = captureTerminal({ callerDir: folder })
    const argv = ['user', 'import', 'people.json', '--json', ...options]
    const exit = await runCommandLine({ groups: [userCommands], withNeeds: (run) => run({ accounts }), terminal }, argv)
    const json: Record<string, unknown> = JSON.parse(stdout())
    return { exit, json, said: stderr() }
  }
  const lines = (...people: readonly unknown[]): string =>
    people.map((person) => (typeof person === 'string' ? person : JSON.stringify(person))).join('\n')
  const storedHash = async (email: string) =>
    (await accountStore(services.database.db).findCredentials('email_key', email))?.passwordHash
  const done = (imported: number, existing = 0) => ({
    exit: 0,
    said: '',
    json: { dry_run: false, imported, existing, refused: 0, refusals: [] },
  })

  test('takes a person with all that is known of them, from a line or a list', async () => {
    const id = '0b9f1fd5-0c5c-4b21-9c1b-6a6b1f0f4c11'
    const ada = {
      id,
      email: 'Ada@example.com',
      username: 'ada',
      given_name: 'Ade\u0300le',
      email_verified: true,
      groups: ['staff'],
      locale: 'en-GB',
      custom_claims: { department: 'Finance' },
      password_hash: DJANGO,
    }
    expect(await importing(lines(ada, '', { email: 'bo@example.com', disabled: true, password_hash: DJANGO }))).toEqual(
      done(2),
    )
    const { items } = await services.auditTrail.list({ type: 'account.imported' })
    expect(items.map(({ account_id: who }) => who)).toContain(id)
    expect(items).toHaveLength(2)
    expect(await accounts.get('ada')).toMatchObject({
      id,
      email: 'Ada@example.com',
      emailVerified: true,
      givenName: 'Ad\u00e8le',
      groups: ['staff'],
      claims: { locale: 'en-GB' },
      customClaims: { department: 'Finance' },
    })
    expect((await accounts.get('bo@example.com')).disabled).toBe(true)
    expect(await accounts.authenticate('bo@example.com', PASSWORD, SOMEWHERE)).toBeUndefined()
    expect(await importing(JSON.stringify([ada, { email: 'cy@example.com' }], null, 2))).toEqual(done(1, 1))
    expect(await accounts.authenticate('cy@example.com', '', SOMEWHERE)).toBeUndefined()
  })

  test('puts a hash of ours in the place of theirs at the first right sign-in, and only then', async () => {
    await importing(lines({ email: 'dee@example.com', password_hash: BCRYPT }))
    expect(await accounts.authenticate('dee@example.com', 'wrong', SOMEWHERE)).toBeUndefined()
    expect(await storedHash('dee@example.com')).toBe(BCRYPT)
    const all = await Promise.all(
      Array.from({ length: 3 }, () => accounts.authenticate('dee@example.com', PASSWORD, SOMEWHERE)),
    )
    expect(all.map((account) => account?.email)).toEqual(Array(3).fill('dee@example.com'))
    expect(await storedHash('dee@example.com')).toMatch(/^\$argon2id\$v=19\$m=19456,/)
    expect(await accounts.authenticate('dee@example.com', PASSWORD, SOMEWHERE)).toBeDefined()
  })

  test('gives a new password precedence over a hash that a sign-in is about to replace', async () => {
    await importing(lines({ email: 'eli@example.com', password_hash: BCRYPT }))
    const { id } = await accounts.get('eli@example.com')
    const slow = accounts.authenticate('eli@example.com', PASSWORD, SOMEWHERE)
    await accounts.setPassword(id, 'a boat under the old bridge')
    await slow
    expect(await accounts.authenticate('eli@example.com', PASSWORD, SOMEWHERE)).toBeUndefined()
    expect((await accounts.authenticate('eli@example.com', 'a boat under the old bridge', SOMEWHERE))?.id).toBe(id)
  })

  test('takes an export of Keycloak as it is, and its people one a line', async () => {
    const person = (name: string) => ({
      id: `8c1de6d6-1111-4222-8333-${name.padEnd(12, '0')}`,
      username: name,
      email: `${name}@kc.example`,
      emailVerified: true,
      firstName: 'Kay',
      lastName: 'Cloak',
      enabled: name !== 'cafe02',
      createdTimestamp: 1_700_000_000_000,
      totp: false,
      attributes: { locale: ['de'], plan: ['gold'], sites: ['a', 'b'] },
      credentials: [
        {
          type: 'password',
          secretData: JSON.stringify({
            value: 'B5MgaEtc5jVznT3DzeyZ9xeZRxr0yMe2Nk7N9lM+H03yrGSTzlGM1wFOijsgP5rccpO2mteZjPnb0DmEkGlW7w==',
            salt: 'AAECAwQFBgcICQoLDA0ODw==',
            additionalParameters: {},
          }),
          credentialData: JSON.stringify({
            hashIterations: 1_000,
            algorithm: 'pbkdf2-sha256',
            additionalParameters: {},
          }),
        },
      ],
      disableableCredentialTypes: [],
      requiredActions: [],
      realmRoles: ['default-roles-main'],
      groups: ['/staff'],
    })
    const realm = { realm: 'main', enabled: true, users: [person('cafe01'), person('cafe02')] }
    expect(await importing(JSON.stringify(realm, null, 2))).toEqual(done(2))
    expect(await importing(lines(person('cafe02'), person('cafe03')))).toEqual(done(1, 1))
    expect(await accounts.authenticate('cafe01', PASSWORD, SOMEWHERE)).toMatchObject({
      id: '8c1de6d6-1111-4222-8333-cafe01000000',
      givenName: 'Kay',
      familyName: 'Cloak',
      emailVerified: true,
      groups: ['staff'],
      claims: { locale: 'de' },
      customClaims: { plan: 'gold', sites: ['a', 'b'] },
    })
    expect((await accounts.get('cafe02')).disabled).toBe(true)
  })

  test('takes a line for a line, whatever JSON has in its texts', async () => {
    const odd = { email: 'sep@example.com', address: { formatted: 'Bridge 1\u2028London' } }
    expect(await importing(lines(odd, { email: 'after@example.com' }))).toEqual(done(2))
  })

  test('refuses each who cannot be taken, says where and why, and takes the others', async () => {
    await accounts.create({ email: 'fay@example.com', username: 'fay' })
    const { exit, json, said } = await importing(
      lines(
        { email: 'gil@example.com' },
        '{"email": "broken',
        { username: 'nameless' },
        { email: 'hal@example.com', password_hash: 'md5$x$5f4dcc3b5aa765d61d8327deb882cf99' },
        { email: 'ivy@example.com', groups: ['nowhere'] },
        { email: 'joy@example.com', username: 'FAY' },
        { email: 'kai@example.com', id: '17' },
        { email: 'lea@example.com', password: PASSWORD },
        { email: 'fay@example.com', id: '0b9f1fd5-0c5c-4b21-9c1b-6a6b1f0f4c99' },
        { email: 'GIL@example.com' },
        { email: 'max@example.com' },
        { email: 'root@example.com', admin: true },
        '{"email": "proto@example.com", "__proto__": {"admin": true}}',
        { email: 'forger@example.com', 'x\nline 1': 1 },
      ),
    )
    expect([exit, json['imported'], json['existing'], json['refused']]).toEqual([1, 2, 1, 11])
    for (const sentence of [
      /^line 2: person: .*object/m,
      /^line 3: email: .*missing/m,
      /^line 4: password_hash: .*spellings/m,
      /^line 5: groups: .*nowhere/m,
      /^line 6: username: Somebody else/m,
      /^line 7: id: .*UUID/m,
      /^line 8: password: /m,
      /^line 9: email: Somebody else/m,
      /^line 12: admin: Nobody becomes/m,
      /^line 13: __proto__: /m,
      /^line 14: x\ufffdline 1: /m,
    ])
      expect(said).toMatch(sentence)
    expect(json['refusals']).toContainEqual({
      place: 'line 6',
      problems: { username: 'Somebody else has this already.' },
    })
    expect(`${said}${JSON.stringify(json)}`).not.toContain(PASSWORD)
    expect(await accounts.find('max@example.com')).toBeDefined()
    expect(await accounts.find('joy@example.com')).toBeUndefined()
  })

  test('writes nothing in a dry run, and tells the same', async () => {
    const text = lines({ email: 'ned@example.com', password_hash: BCRYPT }, { email: 'ned' })
    const dry = await importing(text, '--dry-run')
    expect(dry.json).toMatchObject({ dry_run: true, imported: 1, refused: 1 })
    expect(await accounts.find('ned@example.com')).toBeUndefined()
    expect((await importing(text)).json).toEqual({ ...dry.json, dry_run: false })
  })

  test('goes on where an import of thousands broke off', async () => {
    const many = Array.from({ length: 2_300 }, (_, index) => ({
      email: `many${index}@example.com`,
      username: `many${index}`,
      groups: ['staff'],
      password_hash: BCRYPT,
    }))
    await importing(lines(...many.slice(0, 1_100)))
    const { exit, json, said } = await importing(lines(...many))
    expect([exit, json['imported'], json['existing'], said]).toEqual([0, 1_200, 1_100, ''])
    expect((await accounts.get('many2299')).groups).toEqual(['staff'])
  })

  test.each([
    ['that is no JSON', 'email,name\nada@example.com,Ada', /holds no people/],
    ['that holds something else', '{"realm": "main"\n}', /holds no people/],
    [
      'with a line that does not end',
      `${lines({ email: 'p@example.com' })}\n${'x'.repeat(2_000_000)}`,
      /Line 2 .*too long/,
    ],
    ['in another encoding', Buffer.from(lines({ email: 'o@example.com', name: 'Zo\u00eb' }), 'latin1'), /not in UTF-8/],
  ])('refuses a file %s', async (_, content, sentence) => {
    const { exit, said } = await importing(content)
    expect(exit).toBe(1)
    expect(said).toMatch(sentence)
  })

  test.each([
    ['that is not there', 'nowhere.json', /cannot be read/],
    ['that is a folder', '.', /is no file/],
  ])('refuses a file %s', async (_, name, sentence) => {
    const { terminal, stderr } = captureTerminal({ callerDir: folder })
    const line = {
      groups: [userCommands],
      withNeeds: <T>(run: (needs: { accounts: Accounts }) => Promise<T>) => run({ accounts }),
      terminal,
    }
    expect(await runCommandLine(line, ['user', 'import', name])).toBe(1)
    expect(stderr()).toMatch(sentence)
  })
})
