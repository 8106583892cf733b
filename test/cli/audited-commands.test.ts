// A command that changes something leaves one row in the audit, which says who did what to whom; one that only reads, none.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { features } from '#app/features.ts'
import { auditJson, type AuditType } from '#core/audit/event.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { systemClock } from '#platform/clock.ts'
import { PASSWORD, REDIRECT_URI } from '../support/app.ts'
import { servicesOver } from '../support/services.ts'
import { captureTerminal } from '../support/terminal.ts'

const EMAIL = 'ada@example.com'
const API = 'https://api.example/orders'

const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-commands-'))
let opened: Awaited<ReturnType<typeof servicesOver>>
/** What earlier commands made, and the secret that each of them told. */
const made: Record<'person' | 'client' | 'secret' | 'token' | 'key', string> = {
  person: '',
  client: '',
  secret: '',
  token: '',
  key: '',
}

beforeAll(async () => {
  opened = await servicesOver('sqlite::memory:', systemClock)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(path.join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(path.join(folder, 'people.json'), JSON.stringify([{ email: 'bob@example.com' }]))
})
afterAll(async () => {
  await opened.close()
  rmSync(folder, { recursive: true, force: true })
})

async function latchkey(argv: readonly string[]): Promise<Record<string, unknown>> {
  const { terminal, stdout, stderr } = captureTerminal({ callerDir: folder, stdin: PASSWORD })
  const groups = features.flatMap(({ commands }) => commands ?? [])
  const withNeeds = <T>(work: (services: Services) => Promise<T>): Promise<T> => work(opened.services)
  const exit = await runCommandLine({ groups, withNeeds, terminal }, [...argv, '--json'])
  expect(exit, stderr()).toBe(0)
  return JSON.parse(stdout()) as Record<string, unknown>
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

type About = () => Readonly<Record<string, unknown>>
const person: About = () => ({ user: made.person })
const client: About = () => ({ client_id: made.client })
const fact =
  (name: string, value: unknown): About =>
  () => ({ facts: { [name]: value } })

/** In this order: what the words in capitals stand for was made by the commands before. */
const COMMANDS: readonly (readonly [string, AuditType, About])[] = [
  ['group create staff', 'group.created', fact('group', 'staff')],
  [`user create --email ${EMAIL} --password-stdin`, 'account.created', person],
  [`user update ${EMAIL} --given-name Ada`, 'account.updated', person],
  [`user set-password ${EMAIL} --password-stdin`, 'account.password_set', person],
  [`user disable ${EMAIL}`, 'account.disabled', person],
  [`user enable ${EMAIL}`, 'account.enabled', person],
  [`user sign-out ${EMAIL}`, 'account.signed_out', person],
  ['user import people.json', 'account.imported', () => ({ user: expect.any(String) })],
  [`group add staff ${EMAIL}`, 'group.member_added', person],
  [`group remove staff ${EMAIL}`, 'group.member_removed', person],
  [`client create --name Books --redirect-uri ${REDIRECT_URI}`, 'client.created', client],
  ['client update CLIENT --name Shelf', 'client.updated', client],
  ['client rotate-secret CLIENT', 'client.secret_rotated', client],
  ['client disable CLIENT', 'client.disabled', client],
  ['client enable CLIENT', 'client.enabled', client],
  [`api create --identifier ${API} --name Orders --scope read`, 'api.created', fact('api', API)],
  [`api update ${API} --name Stock`, 'api.updated', fact('api', API)],
  [`api delete ${API} --yes`, 'api.deleted', fact('api', API)],
  ['registration-token create --name ci', 'registration_token.created', fact('name', 'ci')],
  ['registration-token revoke TOKEN', 'registration_token.revoked', () => ({ facts: { token_id: made.token } })],
  ['key rotate --alg RS256', 'signing_key.created', fact('alg', 'RS256')],
  ['key import key.pem', 'signing_key.created', fact('alg', 'ES256')],
  ['key retire KEY --yes', 'signing_key.retired', () => ({ facts: { kid: made.key } })],
  ['client delete CLIENT --yes', 'client.deleted', client],
  [`user delete ${EMAIL} --yes`, 'account.deleted', person],
  ['group delete staff --yes', 'group.deleted', fact('group', 'staff')],
]

test.each(COMMANDS)('%s leaves one row: %s', async (command, type, about) => {
  const { auditTrail } = opened.services
  const before = new Set((await auditTrail.list({})).items.map(({ id }) => id))
  const words = { CLIENT: made.client, TOKEN: made.token, KEY: made.key }
  const json = await latchkey(
    command.replace(/CLIENT|TOKEN|KEY/, (word) => words[word as keyof typeof words]).split(' '),
  )
  if (type === 'account.created') made.person = text(json['id'])
  if (type === 'client.created') made.client = text(json['client_id'])
  if (type === 'registration_token.created') made.token = text(json['id'])
  if (command.startsWith('key import')) made.key = text(json['kid'])
  const rows = (await auditTrail.list({})).items.filter(({ id }) => !before.has(id)).map(auditJson)
  expect(rows).toMatchObject([{ type, actor: 'administrator', ...about() }])
  const secrets = [PASSWORD, text(json['client_secret']), text(json['token'])].filter((secret) => secret !== '')
  for (const secret of secrets) expect(JSON.stringify(rows)).not.toContain(secret)
})

test.each(['user list', 'group list', 'client list', 'api list', 'registration-token list', 'key list', 'audit list'])(
  '%s leaves none',
  async (command) => {
    const before = (await opened.services.auditTrail.list({})).items.length
    await latchkey(command.split(' '))
    expect((await opened.services.auditTrail.list({})).items).toHaveLength(before)
  },
)
