// `latchkey backup`, `restore` and `database`, as an operator types them.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { administration } from '#app/administration.ts'
import { checkStart } from '#app/check-start.ts'
import { loadConfig } from '#app/config.ts'
import { openServices, type OpenServices } from '#app/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { createPerson } from '../support/app.ts'
import { captureTerminal, type TerminalScript } from '../support/terminal.ts'

/** A server's folder with one person in its database and a first backup; each test has a copy of it. */
let made: string
let folder: string

beforeAll(async () => {
  made = mkdtempSync(path.join(tmpdir(), 'latchkey-backup-'))
  standIn(made)
  await serve(createPerson)
  await latchkey(['backup', 'first.db'])
  writeFileSync(path.join(made, 'notes.txt'), 'These are notes, and long enough to be no database at all.')
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-backup-'))
  cpSync(made, folder, { recursive: true })
  standIn(folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})
afterAll(() => rmSync(made, { recursive: true, force: true }))

function standIn(place: string): void {
  folder = place
  vi.stubEnv('KEYS_DIR', path.join(place, 'keys'))
  vi.stubEnv('DATABASE_URL', `sqlite:${place}/data/latchkey.db`)
  vi.stubEnv('LOG_LEVEL', 'silent')
}

async function latchkey(argv: readonly string[], script: TerminalScript = {}) {
  const { terminal, stdout, stderr } = captureTerminal({ callerDir: folder, ...script })
  const needless = (): never => {
    throw new Error('these commands open what they need themselves')
  }
  const exit = await runCommandLine({ groups: [], standalone: administration, withNeeds: needless, terminal }, argv)
  return { exit, stdout: stdout(), stderr: stderr() }
}

/** Opens what DATABASE_URL names as a server does. */
async function serve<T>(run: (services: OpenServices['services']) => Promise<T>): Promise<T> {
  const { services, close } = await openServices(loadConfig())
  try {
    return await run(services)
  } finally {
    await close()
  }
}

/** What the audit has of restores. */
const restores = () =>
  serve(async ({ auditTrail }) => (await auditTrail.list({ type: 'database' })).items.map(({ facts }) => facts))

test('a backup is written beside a server, is for its owner alone, and is restored into an empty database', async () => {
  await serve(async () => {
    const written = await latchkey(['backup', 'evening.db', '--json'])
    expect(written).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(written.stdout)).toMatchObject({
      file: path.join(folder, 'evening.db'),
      rows: { accounts: 1, clients: 0, signing_keys: 3 },
    })
  })
  expect(readdirSync(folder).toSorted()).toEqual(['data', 'evening.db', 'first.db', 'keys', 'notes.txt'])
  expect(statSync(path.join(folder, 'evening.db')).mode & 0o777).toBe(0o600)

  vi.stubEnv('DATABASE_URL', `sqlite:${folder}/new/latchkey.db`)
  expect(await latchkey(['restore', 'evening.db'])).toEqual({
    exit: 0,
    stderr: '',
    stdout: `Restored from ${folder}/evening.db: 1 people, 0 clients, 5 rows in all. People have to sign in again.\n`,
  })
  await serve(async ({ accounts, auditTrail }) => {
    expect(await accounts.find('ada')).toMatchObject({ email: 'ada@example.com' })
    expect(await auditTrail.verify()).toMatchObject({ events: 2, problems: [] })
  })
  expect(await restores()).toEqual([{ restored_at: expect.any(Number) }])

  writeFileSync(path.join(folder, 'keys/master.key'), `${Buffer.alloc(32, 1).toString('base64url')}\n`)
  await expect(checkStart(loadConfig())).rejects.toMatchObject({ hint: expect.stringContaining('keys/master.key') })
})

test('database copy takes a file, and a URL from stdin; database restored asks first', async () => {
  expect(await latchkey(['database', 'copy', '--to', 'sqlite:one.db'])).toMatchObject({
    exit: 0,
    stdout: 'Copied and compared: 1 people, 0 clients, 5 rows in all. Start the server on the new database only.\n',
  })
  const piped = await latchkey(['database', 'copy', '--to', '-', '--json'], { stdin: `sqlite:${folder}/two.db\n` })
  expect([piped.exit, JSON.parse(piped.stdout)]).toMatchObject([0, { rows: { accounts: 1 } }])
  const ended = await latchkey(['database', 'restored', '--json'])
  expect([ended.exit, JSON.parse(ended.stdout)]).toMatchObject([0, { ended: { artifacts: 0, leases: 0 } }])
  expect(await restores()).toHaveLength(1)
})

describe('refusals name the remedy and leave nothing behind:', () => {
  test.each([
    ['a file that is there', ['backup', 'first.db'], 1, /first\.db is there already\.\n.*--replace/],
    ['the database itself', ['backup', 'data/latchkey.db', '--replace'], 1, /is the database itself/],
    ['a folder that is not there', ['backup', 'nowhere/b.db'], 78, /nowhere\/b\.db was not made: ENOENT.*\nIts folder/],
    ['a folder that is a file', ['backup', 'notes.txt/b.db'], 78, /was not made: ENOTDIR.*\nIts folder/],
    [
      'a database that holds something',
      ['restore', 'first.db'],
      1,
      /not empty: there are rows in accounts\.\nName a new/,
    ],
    ['a backup that is not there', ['restore', 'nowhere.db'], 1, /no database .*nowhere\.db/],
    ['a backup that is none', ['restore', 'notes.txt'], 78, /notes\.txt cannot be opened: file is not a database/],
    ['a password as an argument', ['database', 'copy', '--to', 'postgres://a:b@c/d'], 1, /PGPASSWORD/],
    ['and as a parameter', ['database', 'copy', '--to', 'postgres://c/d?password=b'], 1, /PGPASSWORD/],
    ['and beside a socket', ['database', 'copy', '--to', 'postgres://a:b@/d?host=/tmp'], 1, /PGPASSWORD/],
    ['and before two hosts', ['database', 'copy', '--to', 'postgres://a:b@c,d/e'], 1, /PGPASSWORD/],
    ['nowhere to copy to', ['database', 'copy'], 1, /Add --to/],
    ['no database to copy to', ['database', 'copy', '--to', 'mysql://c/d'], 78, /no database that Latchkey knows/],
    ['memory to copy to', ['database', 'copy', '--to', 'sqlite::memory:'], 1, /gone with this command/],
  ])('%s', async (_case, argv, exit, words) => {
    const before = readdirSync(folder, { recursive: true }).toSorted()
    const refused = await latchkey(argv)
    expect(refused).toMatchObject({ exit, stdout: '' })
    expect(refused.stderr).toMatch(words)
    expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual(before)
  })

  test('a database in memory', async () => {
    vi.stubEnv('DATABASE_URL', 'sqlite::memory:')
    expect(await latchkey(['backup', 'b.db'])).toMatchObject({ exit: 1, stderr: expect.stringContaining('in memory') })
  })

  test.runIf(existsSync('/bin/bash'))('a full disk', async () => {
    // the limit on a file's size stands in for the disk: 100 blocks of 1,024 bytes
    const main = path.resolve(import.meta.dirname, '../../src/cli.ts')
    const script = `ulimit -f 100; exec "${process.execPath}" "${main}" backup "${folder}/b.db"`
    const { status, stderr } = spawnSync('/bin/bash', ['-c', script], { env: process.env, encoding: 'utf8' })
    expect([status, stderr]).toEqual([78, expect.stringMatching(/b\.db was not made: .*\n.*room on the disk/)])
    expect(readdirSync(folder).toSorted()).toEqual(['data', 'first.db', 'keys', 'notes.txt'])
  })
})

test('--replace puts the new backup in the place of the old one', async () => {
  await serve((services) => createPerson(services, { email: 'grace@example.com', username: 'grace' }))
  const { stdout } = await latchkey(['backup', 'first.db', '--replace', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ rows: { accounts: 2 } })
})
