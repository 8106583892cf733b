import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccounts, type Accounts } from '#core/accounts/accounts.ts'
import { createPasswords } from '#core/accounts/passwords.ts'
import { createGroups } from '#core/groups/groups.ts'
import type { Tables } from '#core/tables.ts'
import { userCommands } from '#features/accounts/commands.ts'
import { runCommandLine } from '#platform/cli.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { captureTerminal, type TerminalScript } from '../support/terminal.ts'
import { accountsNeeds, SOMEWHERE } from '../support/accounts.ts'

const PASSWORD = 'quiet harbour lantern'

let database: Database<Tables>
let accounts: Accounts
let time = 1_700_000_000

beforeAll(async () => {
  database = openDatabase<Tables>('sqlite::memory:', () => {})
  await migrate(database, path.resolve('migrations'))
  const clock = { now: () => (time += 1) }
  accounts = createAccounts({ ...accountsNeeds(database, clock), passwords: createPasswords() })
  const groups = createGroups({ audit: auditOn(database), database, clock, accounts })
  await groups.create('staff')
  await groups.create('crew')
})
afterAll(() => database.close())

async function latchkey(argv: readonly string[], script: TerminalScript = {}) {
  const captured = captureTerminal(script)
  const code = await runCommandLine(
    { groups: [userCommands], withNeeds: (run) => run({ accounts }), terminal: captured.terminal },
    ['user', ...argv],
  )
  const out = captured.stdout()
  return { code, out, err: captured.stderr(), json: argv.includes('--json') ? JSON.parse(out) : undefined }
}

describe('user create', () => {
  test('adds a person with a password from stdin, less one final newline', async () => {
    const argv =
      'create --email ada@example.com --username ada --given-name Ada --family-name Lovelace --email-verified --admin'
    const { code, json, err } = await latchkey(
      [
        ...argv.split(' '),
        '--group',
        'staff',
        '--group',
        'crew',
        '--phone-number',
        '+44 20 79460000',
        '--address',
        '{"country":"UK"}',
        '--password-stdin',
        '--json',
      ],
      { stdin: `${PASSWORD}\n` },
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(json).toEqual({
      id: expect.any(String),
      username: 'ada',
      email: 'ada@example.com',
      email_verified: true,
      name: 'Ada Lovelace',
      given_name: 'Ada',
      family_name: 'Lovelace',
      phone_number: '+442079460000',
      address: { country: 'UK' },
      groups: ['crew', 'staff'],
      admin: true,
      disabled: false,
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
    })
    expect((await accounts.authenticate('ada', PASSWORD, SOMEWHERE))?.id).toBe(json.id)
  })

  test('asks for the password twice on a terminal', async () => {
    const { code, out } = await latchkey(['create', '--email', 'typed@example.com'], { answers: { secret: PASSWORD } })
    expect(code).toBe(0)
    expect(out).toMatch(/^email +typed@example\.com$/m)
    expect(await accounts.authenticate('typed@example.com', PASSWORD, SOMEWHERE)).toBeDefined()
  })

  test('refuses two passwords that differ', async () => {
    const captured = captureTerminal({ answers: {} })
    let asked = 0
    const terminal = { ...captured.terminal, askSecret: async () => `${PASSWORD}${(asked += 1)}` }
    const line = {
      groups: [userCommands],
      withNeeds: <T>(run: (needs: { accounts: Accounts }) => Promise<T>) => run({ accounts }),
      terminal,
    }
    expect(await runCommandLine(line, ['user', 'create', '--email', 'differ@example.com'])).toBe(1)
    expect(captured.stderr()).toMatch(/two passwords differ/)
    expect(await accounts.find('differ@example.com')).toBeUndefined()
  })

  test('without terminal and --password-stdin makes a person without password and says so', async () => {
    const { code, json, err } = await latchkey(['create', '--email', 'silent@example.com', '--json'])
    expect(code).toBe(0)
    expect(err).toContain(`latchkey user set-password ${json.id}`)
    expect(await accounts.authenticate('silent@example.com', '', SOMEWHERE)).toBeUndefined()
  })

  test.each([
    ['without e-mail', [], /email: The e-mail address is missing/],
    ['a second time', ['--email', 'ADA@example.com'], /email: Somebody has this e-mail/],
    [
      'in an unknown group',
      ['--email', 'x@example.com', '--group', 'nowhere'],
      /no group called "nowhere"[\s\S]*latchkey group list/,
    ],
    ['with an address that is no JSON', ['--email', 'x@example.com', '--address', 'London'], /--address is no JSON/],
    ['with a birthdate that is none', ['--email', 'x@example.com', '--birthdate', 'soon'], /birthdate: .*YYYY/],
  ])('is refused %s, with what to do', async (_, argv, said) => {
    const { code, err, out } = await latchkey(['create', ...argv])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(said)
    expect(await accounts.find('x@example.com')).toBeUndefined()
  })

  test('A35 refuses a weak password and does not repeat it', async () => {
    const { code, err, json } = await latchkey(['create', '--email', 'x@example.com', '--password-stdin', '--json'], {
      stdin: 'Password123\n',
    })
    expect({ code, json }).toMatchObject({
      code: 1,
      json: { error: 'invalid_input', fields: { password: expect.any(String) } },
    })
    expect(err).not.toMatch(/Password123/)
  })

  test.each([
    [['create', '--password', 'x']],
    [['create', '--email']],
    [['show']],
    [['show', 'a', 'b']],
    [['frobnicate']],
  ])('%j is misuse', async (argv) => {
    expect((await latchkey(argv)).code).toBe(2)
  })
})

describe('user list and show', () => {
  test('go page by page and tell how to go on', async () => {
    const first = await latchkey(['list', '--limit', '2', '--json'])
    expect(first.json.items).toHaveLength(2)
    expect(first.err).toContain(first.json.next)
    const second = await latchkey(['list', '--limit', '2', '--cursor', first.json.next, '--json'])
    expect(second.json.items[0].id).not.toBe(first.json.items[1].id)
    expect((await latchkey(['list', '--search', 'lovelace', '--json'])).json).toMatchObject({
      items: [{ username: 'ada' }],
      next: null,
    })
    expect((await latchkey(['list', '--search', 'lovelace'])).out).toMatch(
      /^\S+ {2}ada@example\.com {2}ada {2}Ada Lovelace {2}admin, crew, staff\n$/,
    )
    expect((await latchkey(['list', '--search', 'nowhere'])).out).toBe('Nobody.\n')
    expect(await latchkey(['list', '--limit', 'many'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('limit: '),
    })
  })

  test.each(['ada', 'ADA@example.com'])('%s names a person', async (who) => {
    expect((await latchkey(['show', who, '--json'])).json.username).toBe('ada')
  })

  test('nobody is told as refused, with a hint', async () => {
    expect(await latchkey(['show', 'nobody'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('latchkey user list'),
    })
  })
})

describe('user update', () => {
  test('changes, takes back, replaces and clears', async () => {
    const { json } = await latchkey([
      'update',
      'ada',
      '--no-admin',
      '--no-email-verified',
      '--group',
      'crew',
      '--nickname',
      'A',
      '--clear',
      'phone-number',
      '--clear',
      'given-name',
      '--json',
    ])
    expect(json).toMatchObject({
      admin: false,
      email_verified: false,
      groups: ['crew'],
      nickname: 'A',
      name: 'Lovelace',
      given_name: null,
    })
    expect(json).not.toHaveProperty('phone_number')
    expect((await latchkey(['update', 'ada', '--clear', 'group', '--json'])).json).toMatchObject({
      groups: [],
      nickname: 'A',
    })
  })

  test('refuses to clear what a person must have, and to set and clear at once', async () => {
    expect(await latchkey(['update', 'ada', '--clear', 'email'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('email: '),
    })
    expect(await latchkey(['update', 'ada', '--clear', 'name', '--name', 'x'])).toMatchObject({ code: 1 })
  })

  test('refuses a change of nothing', async () => {
    expect(await latchkey(['update', 'ada'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Nothing to change/),
    })
  })
})

describe('access', () => {
  test('set-password takes a new password and the old one ends', async () => {
    const next = 'a lantern by the sea'
    expect((await latchkey(['set-password', 'ada', '--password-stdin'], { stdin: next })).code).toBe(0)
    expect(await accounts.authenticate('ada', PASSWORD, SOMEWHERE)).toBeUndefined()
    expect(await accounts.authenticate('ada', next, SOMEWHERE)).toBeDefined()
    expect(await latchkey(['set-password', 'ada'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('--password-stdin'),
    })
  })

  test('disable, enable and sign-out answer with the person', async () => {
    expect((await latchkey(['disable', 'ada', '--json'])).json).toMatchObject({ username: 'ada', disabled: true })
    expect((await latchkey(['enable', 'ada', '--json'])).json).toMatchObject({ username: 'ada', disabled: false })
    expect((await latchkey(['sign-out', 'ada', '--json'])).json).toMatchObject({ username: 'ada' })
  })

  test('disable, enable and sign-out tell a person what was done', async () => {
    expect((await latchkey(['disable', 'ada'])).out).toMatch(/is disabled and signed out everywhere\.$/m)
    expect((await latchkey(['enable', 'ada'])).out).toMatch(/is enabled\.$/m)
    expect((await latchkey(['sign-out', 'ada'])).out).toMatch(/is signed out everywhere\.$/m)
  })

  test('an id or a value may begin with a dash, and an option that there is not is misuse', async () => {
    expect(await latchkey(['show', '-aWrx'])).toMatchObject({ code: 1, err: expect.stringContaining('"-aWrx"') })
    expect((await latchkey(['list', '--search', '-ada', '--json'])).json).toMatchObject({ items: [] })
    expect(await latchkey(['show', '-aWrx', 'ada'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('too many'),
    })
    for (const option of ['--jsn', '-x']) expect((await latchkey(['list', option])).code).toBe(2)
  })

  test('delete asks first', async () => {
    expect((await latchkey(['delete', 'ada'], { answers: { confirm: false } })).code).toBe(1)
    const { id } = await accounts.get('ada')
    expect((await latchkey(['delete', 'ada', '--yes', '--json'])).json).toEqual({ id, deleted: true })
    expect((await latchkey(['delete', 'ada', '--yes'])).code).toBe(1)
  })
})
