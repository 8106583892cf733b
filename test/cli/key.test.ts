import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSecrets } from '#core/secrets.ts'
import { createSigningKeys, type SigningKeys } from '#core/signing-keys/signing-keys.ts'
import { signingKeyStore } from '#core/signing-keys/store.ts'
import type { Tables } from '#core/tables.ts'
import { keyCommands } from '#features/signing-keys/commands.ts'
import { wipeGoneKeys } from '#features/signing-keys/jobs.ts'
import { runCommandLine } from '#platform/cli.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { captureTerminal, type TerminalScript } from '../support/terminal.ts'

const NOON = Date.UTC(2026, 10, 5, 12) / 1000
const AHEAD = 3_600
const UNPUBLISHED_AFTER = 900 + 60 + AHEAD
const GONE_AFTER = 86_400 + 60 + AHEAD

let database: Database<Tables>
let signingKeys: SigningKeys
let now: number

beforeEach(async () => {
  now = NOON
  database = openDatabase<Tables>('sqlite::memory:', () => {})
  await migrate(database, path.resolve(import.meta.dirname, '../../migrations'))
  signingKeys = createSigningKeys({
    audit: auditOn(database),
    store: signingKeyStore(database.db),
    secrets: createSecrets([randomBytes(32)]),
    clock: { now: () => now },
    settings: {
      keys: { publishAheadSeconds: AHEAD },
      tokens: { accessSeconds: 900, idSeconds: 900 },
      session: { absoluteSeconds: 86_400 },
    },
  })
})

afterEach(() => database.close())

async function latchkey(...argv: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  return latchkeyWith({}, ...argv)
}

async function latchkeyWith(
  script: TerminalScript,
  ...argv: string[]
): Promise<{ exit: number; stdout: string; stderr: string }> {
  const { terminal, stdout, stderr } = captureTerminal(script)
  const exit = await runCommandLine({ groups: [keyCommands], withNeeds: (run) => run({ signingKeys }), terminal }, argv)
  return { exit, stdout: stdout(), stderr: stderr() }
}

test('key list shows an aligned table with human times, and no private key', async () => {
  await signingKeys.ensure(['RS256', 'EdDSA'])
  const [rsa, ed] = await signingKeys.list()
  await signingKeys.rotate('EdDSA')
  const next = (await signingKeys.list())[2]
  expect(await latchkey('key', 'list')).toEqual({
    exit: 0,
    stderr: '',
    stdout: [
      'ALG    STATE    SIGNS FROM               SIGNS UNTIL              PUBLISHED UNTIL          KID',
      `RS256  current  2026-11-05 12:00:00 UTC  -                        -                        ${rsa?.kid}`,
      `EdDSA  current  2026-11-05 12:00:00 UTC  2026-11-05 13:00:00 UTC  2026-11-05 14:16:00 UTC  ${ed?.kid}`,
      `EdDSA  next     2026-11-05 13:00:00 UTC  -                        -                        ${next?.kid}`,
      '',
    ].join('\n'),
  })
})

test('key list --json gives one value with exactly the documented members', async () => {
  await signingKeys.ensure(['ES256'])
  const { exit, stdout, stderr } = await latchkey('key', 'list', '--json')
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
  expect(JSON.parse(stdout)).toEqual({
    items: [
      {
        kid: expect.stringMatching(/^[\w-]{43}$/),
        alg: 'ES256',
        state: 'current',
        created_at: NOON,
        activates_at: NOON,
        retires_at: null,
        unpublished_at: null,
        gone_at: null,
      },
    ],
    next: null,
  })
})

test('key list before the first start is empty and no error', async () => {
  expect(await latchkey('key', 'list')).toMatchObject({ exit: 0, stdout: 'There are no signing keys yet.\n' })
  expect(JSON.parse((await latchkey('key', 'list', '--json')).stdout)).toEqual({ items: [], next: null })
})

test('key rotate --alg says when the new key signs and how long the old one stays', async () => {
  await signingKeys.ensure()
  const { exit, stdout, stderr } = await latchkey('key', 'rotate', '--alg', 'RS256')
  const [old, fresh] = await signingKeys.list()
  expect({ exit, stdout, stderr }).toEqual({
    exit: 0,
    stderr: '',
    stdout: [
      `RS256: ${fresh?.kid} is published now and signs from 2026-11-05 13:00:00 UTC.`,
      `  Until then ${old?.kid} signs, and it stays published until 2026-11-05 14:16:00 UTC.`,
      '',
    ].join('\n'),
  })
  expect(await signingKeys.list()).toHaveLength(4)
})

test('key rotate without --alg rotates every algorithm in use', async () => {
  await signingKeys.ensure(['RS256', 'ES256', 'EdDSA'])
  const { exit, stdout } = await latchkey('key', 'rotate', '--json')
  expect(exit).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    items: ['RS256', 'ES256', 'EdDSA'].map((alg) => ({
      alg,
      state: 'next',
      activates_at: NOON + AHEAD,
      replaces: {
        alg,
        state: 'current',
        retires_at: NOON + AHEAD,
        unpublished_at: NOON + AHEAD + UNPUBLISHED_AFTER,
        gone_at: NOON + AHEAD + GONE_AFTER,
      },
    })),
    next: null,
  })
})

test('refuses to rotate where there is nothing to rotate, with a hint', async () => {
  expect(await latchkey('key', 'rotate')).toEqual({
    exit: 1,
    stdout: '',
    stderr: 'There are no signing keys yet.\nThe server makes the first keys when it starts.\n',
  })
})

test('refuses an algorithm that does not exist as misuse', async () => {
  const { exit, stderr } = await latchkey('key', 'rotate', '--alg', 'HS256')
  expect(exit).toBe(2)
  expect(stderr).toContain('RS256, ES256, EdDSA')
})

test('the hourly job forgets the private halves of keys that are gone', async () => {
  await signingKeys.ensure(['EdDSA'])
  await signingKeys.rotate()
  now = NOON + AHEAD + GONE_AFTER
  await wipeGoneKeys(signingKeys).run()
  const rows = await database.db.selectFrom('signing_keys').select('sealed_private_jwk').orderBy('sequence').execute()
  expect(rows.map(({ sealed_private_jwk }) => sealed_private_jwk === null)).toEqual([true, false])
})

test('key import says when the key signs, warns of a file that others can open, and prints nothing of the key', async () => {
  await signingKeys.ensure(['ES256'])
  const [own] = await signingKeys.list()
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-key-'))
  const text = ecPem()
  writeFileSync(path.join(folder, 'old.pem'), text)
  chmodSync(path.join(folder, 'old.pem'), 0o644)
  const { exit, stdout, stderr } = await latchkeyWith({ callerDir: folder }, 'key', 'import', 'old.pem')
  const kid = (await signingKeys.list())[1]?.kid
  rmSync(folder, { recursive: true })
  expect({ exit, stdout, stderr }).toEqual({
    exit: 0,
    stderr: 'Warning: others on this machine can open old.pem. Delete it, or chmod 600 it.\n',
    stdout: [
      `ES256: ${kid} is published now and signs from 2026-11-05 13:00:00 UTC.`,
      `  Until then ${own?.kid} signs, and it stays published until 2026-11-05 14:16:00 UTC.`,
      '',
    ].join('\n'),
  })
  expect(stdout + stderr).not.toContain(text.split('\n')[1])
})

test('key import --current signs at once and warns of cached JWKS; stdin will do', async () => {
  await signingKeys.ensure(['ES256'])
  const { exit, stdout, stderr } = await latchkeyWith(
    { stdin: ecPem() },
    'key',
    'import',
    '-',
    '--current',
    '--alg',
    'ES256',
    '--json',
  )
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringContaining('cached JWKS') })
  expect(JSON.parse(stdout)).toMatchObject({
    alg: 'ES256',
    state: 'current',
    activates_at: NOON,
    changed: [{ state: 'retiring', retires_at: NOON }],
  })
})

test('refuses a file that is not there, is no key, or is a key for another algorithm', async () => {
  expect(await latchkey('key', 'import', '/nowhere/key.pem')).toMatchObject({ exit: 1, stdout: '' })
  expect(await latchkeyWith({ stdin: 'hello' }, 'key', 'import', '-')).toMatchObject({ exit: 1, stdout: '' })
  const { exit, stderr } = await latchkeyWith({ stdin: ecPem() }, 'key', 'import', '-', '--alg', 'RS256')
  expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining('ES256') })
  expect(await signingKeys.list()).toEqual([])
})

test('key retire says what signs now and what breaks', async () => {
  await signingKeys.ensure(['EdDSA'])
  const [old] = await signingKeys.list()
  const kid = old?.kid ?? ''
  const { exit, stdout, stderr } = await latchkey('key', 'retire', kid)
  const fresh = (await signingKeys.list())[1]
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
  expect(stdout).toContain(`EdDSA: ${kid} has left the JWKS, and its private half is forgotten. ${fresh?.kid} signs.`)
  expect(stdout).toContain('refused wherever the JWKS is fetched again')
  expect(await latchkey('key', 'retire', kid, '--yes')).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('key list'),
  })
})

function ecPem(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}
