import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAccounts } from '#core/accounts/accounts.ts'
import { createPasswords } from '#core/accounts/passwords.ts'
import { createGroups, type Groups } from '#core/groups/groups.ts'
import type { Tables } from '#core/tables.ts'
import { groupCommands } from '#features/groups/commands.ts'
import { runCommandLine } from '#platform/cli.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { captureTerminal } from '../support/terminal.ts'
import { accountsNeeds } from '../support/accounts.ts'

let database: Database<Tables>
let groups: Groups

beforeAll(async () => {
  database = openDatabase<Tables>('sqlite::memory:', () => {})
  await migrate(database, path.resolve('migrations'))
  const clock = { now: () => 1_700_000_000 }
  const accounts = createAccounts({ ...accountsNeeds(database, clock), passwords: createPasswords() })
  groups = createGroups({ audit: auditOn(database), database, clock, accounts })
  await accounts.create({ email: 'ada@example.com', username: 'ada' })
})
afterAll(() => database.close())

async function latchkey(...argv: readonly string[]) {
  const captured = captureTerminal()
  const line = { groups: [groupCommands], terminal: captured.terminal }
  const code = await runCommandLine({ ...line, withNeeds: (run) => run({ groups }) }, ['group', ...argv])
  const out = captured.stdout()
  return { code, out, err: captured.stderr(), json: argv.includes('--json') ? JSON.parse(out) : undefined }
}

test('a group is created, filled, emptied and deleted', async () => {
  expect(await latchkey('list')).toMatchObject({ code: 0, out: expect.stringContaining('latchkey group create') })
  const { code, json } = await latchkey('create', 'staff', '--json')
  expect({ code, json }).toEqual({
    code: 0,
    json: { id: expect.any(String), name: 'staff', members: 0, created_at: 1_700_000_000 },
  })
  expect((await latchkey('add', 'staff', 'ada', '--json')).json).toEqual({ ...json, members: 1 })
  expect((await latchkey('list', '--json')).json).toEqual({ items: [{ ...json, members: 1 }], next: null })
  expect((await latchkey('list')).out).toBe('staff  1 member\n')
  expect((await latchkey('remove', 'staff', 'ada@example.com', '--json')).json).toEqual(json)
  expect((await latchkey('delete', 'staff', '--json')).json).toEqual({
    id: json.id,
    name: 'staff',
    deleted: true,
  })
  expect(await groups.list()).toEqual([])
})

test.each([
  ['an unknown group', ['add', 'nowhere', 'ada'], /no group called "nowhere"[\s\S]*latchkey group list/],
  ['an unknown person', ['add', 'crew', 'nobody'], /no person[\s\S]*latchkey user list/],
  ['a person who is not in the group', ['remove', 'crew', 'ada'], /not in the group[\s\S]*latchkey user show/],
  ['a name that is taken', ['create', 'crew'], /called "crew" already/],
  ['an empty name', ['create', ' '], /name: .*empty/],
])('%s is refused with what to do', async (_, argv, said) => {
  if (!(await groups.find('crew'))) await groups.create('crew')
  const { code, out, err } = await latchkey(...argv)
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toMatch(said)
})
