// latchkey audit …, as an operator types it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Services } from '#core/services.ts'
import { auditCommands } from '#features/audit/commands.ts'
import { runCommandLine, type CommandResult } from '#platform/cli.ts'
import { systemClock } from '#platform/clock.ts'
import { behindLine } from '../support/database-line.ts'
import { databases } from '../support/databases.ts'
import { servicesOver } from '../support/services.ts'
import { captureTerminal } from '../support/terminal.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-audit-'))
const url = `sqlite:${path.join(folder, 'latchkey.db')}`
let services: Services
let close: () => Promise<void>
let masterKey: string

beforeAll(async () => {
  masterKey = Buffer.alloc(32, 7).toString('base64url')
  ;({ services, close } = await servicesOver(url, systemClock, masterKey))
  await services.groups.create('staff')
  await services.accounts.create({ email: 'ada@example.com' })
  await services.groups.addMember('staff', 'ada@example.com')
})
afterAll(async () => {
  await close()
  rmSync(folder, { recursive: true, force: true })
})

async function latchkey(...argv: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const { terminal, stdout, stderr } = captureTerminal()
  const line = {
    groups: [auditCommands],
    withNeeds: <T>(run: (needs: Services) => Promise<T>) => run(services),
    terminal,
  }
  const exit = await runCommandLine(line, ['audit', ...argv])
  return { exit, stdout: stdout(), stderr: stderr() }
}

test('list shows who did what, newest first, and --json is a page', async () => {
  const { exit, stdout } = await latchkey('list')
  expect(exit).toBe(0)
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => /\S+ \S+ UTC {2}(\S+) +administrator/.exec(line)?.[1])).toEqual([
    'group.member_added',
    'account.created',
    'group.created',
  ])
  const { items, next } = JSON.parse((await latchkey('list', '--limit', '2', '--json')).stdout) as {
    items: Record<string, unknown>[]
    next: string
  }
  expect(items[0]).toMatchObject({ type: 'group.member_added', actor: 'administrator', facts: { group: 'staff' } })
  expect((await latchkey('list', '--cursor', next)).stdout).toContain('group.created')
  expect((await latchkey('list', '--user', 'ada@example.com', '--type', 'account')).stdout).toContain('account.created')
  expect((await latchkey('list', '--type', 'sign_in')).stdout).toMatch(/^Nothing is on record/)
  expect(await latchkey('list', '--type', 'nonsense')).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('type:'),
  })
})

test('export prints JSON lines in the order of the chain', async () => {
  const events = (await latchkey('export')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; sequence: number })
  expect(events.map(({ type, sequence }) => [sequence, type])).toEqual([
    [1, 'group.created'],
    [2, 'account.created'],
    [3, 'group.member_added'],
  ])
  expect((await latchkey('export', '--type', 'account', '--json')).stdout.trim().split('\n')).toHaveLength(1)
})

test('list --follow prints what happens as it happens, one JSON value a line', async () => {
  const settings = { DATABASE_URL: url, MASTER_KEY: masterKey, PATH: process.env['PATH'], HOME: folder }
  const child = spawn(process.execPath, ['src/cli.ts', 'audit', 'list', '--follow', '--since', '1h', '--json'], {
    env: settings,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse(String((await lines.next()).value)) as unknown
  expect(await next()).toMatchObject({ type: 'group.created' })
  await next()
  await next()
  await services.accounts.disable((await services.accounts.get('ada@example.com')).id)
  expect(await next()).toMatchObject({ type: 'account.disabled', sequence: 4 })
  child.kill()
  await once(child, 'exit')
})

test('list --follow goes on where it was when the database comes back', async () => {
  const postgres = databases.find(({ name }) => name === 'postgres') ?? expect.fail('there is always PostgreSQL')
  const { database, line } = await behindLine(await postgres.create())
  const followed = await servicesOver(database.url, systemClock, masterKey)
  const { terminal, stderr } = captureTerminal()
  const list = auditCommands.commands.find(({ verb }) => verb === 'list') ?? expect.fail('it is listed')
  const pieces = await list.run({
    needs: followed.services,
    args: [],
    options: { follow: true, since: '1h', type: 'group' },
    terminal,
  })
  if (!(Symbol.asyncIterator in pieces)) throw new Error('what is followed comes piece by piece')
  const events = pieces[Symbol.asyncIterator]()
  const next = async () => ((await events.next()).value as CommandResult).json
  try {
    const first = next()
    await followed.services.groups.create('before')
    expect(await first).toMatchObject({ type: 'group.created' })
    await line.cut()
    const second = next()
    await vi.waitFor(() => expect(stderr()).toContain('does not answer'), 20_000)
    await line.mend()
    await followed.services.groups.create('after')
    expect(await second).toMatchObject({ facts: { group: 'after' } })
  } finally {
    await events.return?.()
    await followed.close()
    await database.drop()
  }
})

test('list --follow into a pipe that nobody reads any more ends quietly', async () => {
  const settings = { DATABASE_URL: url, MASTER_KEY: masterKey, PATH: process.env['PATH'], HOME: folder }
  const child = spawn(process.execPath, ['src/cli.ts', 'audit', 'list', '--follow', '--since', '1h'], {
    env: settings,
  })
  child.stdout.destroy()
  let said = ''
  child.stderr.on('data', (text: Buffer) => (said += String(text)))
  const [code] = (await once(child, 'close')) as [number]
  expect([code, said]).toEqual([0, ''])
})

test('verify tells the head, and exits with 1 and names the row where something was changed', async () => {
  const { exit, stdout } = await latchkey('verify', '--json')
  const { head, events } = JSON.parse(stdout) as { head: string; events: number }
  expect({ exit, events }).toEqual({ exit: 0, events: 4 })
  expect((await latchkey('verify', '--head', head)).stdout).toMatch(/^4 events, and each is what was written/)
  const [row] = (await services.auditTrail.list({ type: 'account.created' })).items
  await services.database.db
    .updateTable('audit_events')
    .set({ actor: 'person' })
    .where('id', '=', row?.id ?? '')
    .execute()
  const refused = await latchkey('verify')
  expect(refused.exit).toBe(1)
  expect(refused.stderr).toContain(`${row?.id}: was changed, or was not written by Latchkey`)
})
