import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Apis } from '#core/apis/apis.ts'
import { apiCommands } from '#features/apis/commands.ts'
import { runCommandLine } from '#platform/cli.ts'
import { databases } from '../support/databases.ts'
import { servicesOn, type TestServices } from '../support/services.ts'
import { captureTerminal } from '../support/terminal.ts'

const ORDERS = 'https://api.example/orders'

const [sqlite] = databases
let opened: TestServices
let apis: Apis
let robot: string

beforeAll(async () => {
  if (!sqlite) throw new Error('SQLite is always there')
  opened = await servicesOn(sqlite, { now: () => 1_800_000_000 })
  apis = opened.services.apis
  robot = (await opened.services.clients.register({ name: 'Robot', type: 'service' })).client.id
})
afterAll(() => opened.close())

async function latchkey(...argv: readonly string[]) {
  const captured = captureTerminal()
  const line = { groups: [apiCommands], terminal: captured.terminal }
  const code = await runCommandLine({ ...line, withNeeds: (run) => run({ apis }) }, ['api', ...argv])
  const out = captured.stdout()
  return { code, out, err: captured.stderr(), json: argv.includes('--json') ? JSON.parse(out) : undefined }
}

test('an API is created, listed, shown, changed and deleted', async () => {
  expect(await latchkey('list')).toMatchObject({ code: 0, out: expect.stringContaining('latchkey api create') })
  const options = ['--name', 'Orders', '--scope', 'read write', '--format', 'opaque', '--access-token-seconds', '600']
  const types = ['--authorization-detail-type', 'refund[order,amount]=Refund an order']
  const people = ['--assignment', 'clients', '--client', robot, '--introspection-client', robot]
  const created = await latchkey(
    'create',
    '--identifier',
    ORDERS,
    ...options,
    '--alg',
    'ES256',
    ...types,
    ...people,
    '--json',
  )
  expect([created.code, created.err]).toEqual([0, ''])
  const orders = {
    identifier: ORDERS,
    name: 'Orders',
    scopes: ['read', 'write'],
    authorization_details_types: [{ type: 'refund', title: 'Refund an order', members: ['order', 'amount'] }],
    format: 'opaque',
    access_token_seconds: 600,
    signing_alg: 'ES256',
    assignment: 'clients',
    clients: [robot],
    introspection_clients: [robot],
    created_at: 1_800_000_000,
    updated_at: 1_800_000_000,
  }
  expect(created.json).toEqual(orders)
  expect((await latchkey('list', '--json')).json).toEqual({ items: [orders], next: null })
  expect((await latchkey('list')).out).toBe(`${ORDERS}  opaque  Orders\n`)
  expect((await latchkey('show', ORDERS, '--json')).json).toEqual(orders)

  expect((await latchkey('show', ORDERS)).out).toMatch(/details +refund\[order,amount\]=Refund an order/)

  const none = '--no-authorization-detail-type'
  const opened = [
    '--assignment',
    'everyone',
    none,
    '--no-access-token-seconds',
    '--no-introspection-client',
    '--scope',
    '',
  ]
  expect((await latchkey('update', ORDERS, '--format', 'jwt', ...opened, '--json')).json).toEqual({
    ...orders,
    format: 'jwt',
    scopes: [],
    authorization_details_types: [],
    access_token_seconds: null,
    assignment: 'everyone',
    clients: [],
    introspection_clients: [],
  })
  expect(`\n${(await latchkey('show', ORDERS)).out}`).toBe(`
  identifier      ${ORDERS}
  name            Orders
  scopes          none
  access tokens   JWT, signed with ES256
  they live       as long as any access token of this server
  open to         every client
  may introspect  nobody but the client that a token was issued to
`)

  expect((await latchkey('delete', ORDERS, '--yes', '--json')).json).toEqual({ identifier: ORDERS, deleted: true })
  expect(await apis.list()).toEqual([])
})

test('create tells a person what came of it', async () => {
  const { code, out, err } = await latchkey('create', '--identifier', 'urn:example:told', '--scope', 'read')
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('urn:example:told is registered.')
  expect(out).toMatch(/scopes +read/)
})

test.each([
  ['an identifier that is none', ['create', '--identifier', 'orders'], /identifier: .*absolute URI[\s\S]*try again/],
  ['no identifier at all', ['create', '--scope', 'read'], /identifier: .*absolute URI/],
  ['an identifier that is taken', ['create', '--identifier', 'urn:example:taken'], /already[\s\S]*latchkey api update/],
  [
    'a scope of OpenID Connect',
    ['create', '--identifier', 'urn:example:x', '--scope', 'email'],
    /scope: email is about/,
  ],
  [
    'a lifetime that is no number',
    ['create', '--identifier', 'urn:example:x', '--access-token-seconds', '1h'],
    /access_token_seconds: .*whole number/,
  ],
  ['an unknown client', ['update', 'urn:example:taken', '--introspection-client', 'x'], /no client "x"/],
  ['an unknown API', ['show', 'urn:example:none'], /no API[\s\S]*latchkey api list/],
  ['a change of nothing', ['update', 'urn:example:taken'], /Nothing to change/],
])('%s is refused with what to do', async (_, argv, said) => {
  if (!(await apis.find('urn:example:taken'))) await apis.create({ identifier: 'urn:example:taken' })
  const { code, out, err } = await latchkey(...argv)
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toMatch(said)
})

test('a choice that is none is misuse', async () => {
  expect((await latchkey('create', '--identifier', 'urn:example:x', '--alg', 'none')).code).toBe(2)
})
