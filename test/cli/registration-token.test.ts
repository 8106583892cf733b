import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RegistrationTokens } from '#core/registration/registration-tokens.ts'
import { registrationTokenCommands } from '#features/registration/commands.ts'
import { runCommandLine } from '#platform/cli.ts'
import { databases } from '../support/databases.ts'
import { servicesOn, type TestServices } from '../support/services.ts'
import { captureTerminal } from '../support/terminal.ts'

const NOW = 1_800_000_000
const [sqlite] = databases
let opened: TestServices
let registrationTokens: RegistrationTokens

beforeAll(async () => {
  if (!sqlite) throw new Error('SQLite is always there')
  opened = await servicesOn(sqlite, { now: () => NOW })
  registrationTokens = opened.services.registrationTokens
  await opened.services.groups.create('staff')
})
afterAll(() => opened.close())

async function latchkey(argv: readonly string[], mode: 'off' | 'token' = 'token') {
  const captured = captureTerminal()
  const settings = { issuer: 'https://id.example', registration: { mode, unusedSeconds: 3_600, documentHosts: [] } }
  const needs = { registrationTokens, settings, clock: { now: () => NOW } }
  const line = { groups: [registrationTokenCommands], terminal: captured.terminal }
  const code = await runCommandLine({ ...line, withNeeds: (run) => run(needs) }, ['registration-token', ...argv])
  const out = captured.stdout()
  return { code, out, err: captured.stderr(), json: argv.includes('--json') ? JSON.parse(out) : undefined }
}

test('a token is made, shown once, listed and revoked', async () => {
  const bounds = ['--type', 'spa', '--type', 'native', '--redirect-host', '*.app.example', '--scope', 'openid email']
  const made = await latchkey([
    'create',
    '--name',
    'CI',
    '--expires',
    '12h',
    '--uses',
    '3',
    '--group',
    'staff',
    ...bounds,
    '--json',
  ])
  expect([made.code, made.err]).toEqual([0, ''])
  const { token, ...rest } = made.json
  const ci = {
    id: expect.any(String),
    name: 'CI',
    state: 'live',
    uses: 0,
    uses_left: 3,
    types: ['spa', 'native'],
    redirect_hosts: ['*.app.example'],
    scope: 'openid email',
    groups: ['staff'],
    expires_at: NOW + 43_200,
    revoked_at: null,
    created_at: NOW,
  }
  expect(token).toMatch(/^[\w-]{43}$/)
  expect(rest).toEqual(ci)
  expect((await latchkey(['list', '--json'])).json).toEqual({ items: [ci], next: null })
  expect((await latchkey(['list'])).out).toMatch(/^\S+ {2}live {2}CI\n$/)
  const shown = await latchkey(['show', rest.id])
  expect(`\n${shown.out}`).toBe(`
  id              ${rest.id}
  name            CI
  state           live
  registered      0, and 3 more at most
  expires         2027-01-15 20:00:00 UTC
  types           spa native
  redirect hosts  *.app.example
  scopes          openid email
  open to         groups: staff
`)
  expect(shown.out).not.toContain(token)
  expect((await latchkey(['revoke', rest.id, '--json'])).json).toMatchObject({ state: 'revoked', revoked_at: NOW })
  expect(await registrationTokens.findLive(token)).toBeUndefined()
})

test('a token is for one client within a week unless told, and a person reads what to do with it', async () => {
  const { code, out, err } = await latchkey(['create'])
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('https://id.example/register')
  expect(out).toMatch(/registered +0, and 1 more at most/)
  expect(out).toMatch(/expires +2027-01-22 08:00:00 UTC/)
  expect(out).toMatch(/types +web spa native/)
})

test('says where nothing can be registered', async () => {
  expect((await latchkey(['create'], 'off')).err).toContain('REGISTRATION is off')
})

test.each([
  ['a time that is none', ['create', '--expires', 'soon'], /expires: .*12h or 7d/],
  ['a time without end', ['create', '--expires', '400d'], /expires: .*a year at most/],
  ['no use', ['create', '--uses', '0'], /uses: .*from 1/],
  ['an unknown type', ['create', '--type', 'toaster'], /types: /],
  ['a host that is a URL', ['create', '--redirect-host', 'https://app.example/'], /redirect_hosts: .*app\.example/],
  ['an unknown scope', ['create', '--scope', 'admin'], /scope: .*Unknown scope/],
  ['an unknown group', ['create', '--group', 'nobody'], /no group called "nobody"/],
  ['an unknown token', ['show', 'x'], /no registration token[\s\S]*registration-token list/],
  ['an unknown token to revoke', ['revoke', 'x'], /no registration token/],
])('%s is refused with what to do', async (_, argv, said) => {
  const { code, out, err } = await latchkey(argv)
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toMatch(said)
})
