// The server as a process: what it says when it starts, what it says when it cannot, and how it stops. `config check`
// gives the same verdict.
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'

const ROOT = path.join(import.meta.dirname, '../..')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let folder: string
let settings: Record<string, string>

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-start-'))
  const port = await freePort()
  settings = {
    ISSUER: `http://localhost:${port}`,
    HOST: 'localhost',
    DATABASE_URL: `sqlite:${folder}/data/latchkey.db`,
    KEYS_DIR: `${folder}/keys`,
    LOG_FORMAT: 'json',
  }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs to the end; a server that becomes ready is asked to stop. */
function run(script: string, args: readonly string[] = [], onReady?: () => Promise<void>): Promise<Ended> {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [path.join(ROOT, 'src', script), ...args], {
    env: { PATH, HOME, ...settings },
    cwd: ROOT,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => {
    const wasReady = stderr.includes('is ready')
    stderr += String(chunk)
    if (!wasReady && stderr.includes('is ready'))
      void (onReady?.() ?? Promise.resolve()).finally(() => child.kill('SIGTERM'))
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

describe('a start', () => {
  test('makes key and database, serves, tells what to do next, and ends with 0 on SIGTERM', async () => {
    let discovery: unknown
    const first = await run('main.ts', [], async () => {
      discovery = await (await fetch(`${settings['ISSUER']}/.well-known/openid-configuration`)).json()
    })
    expect(discovery).toMatchObject({ issuer: settings['ISSUER'] })
    expect(first.code).toBe(0)
    expect(first.stderr).toContain(`${settings['ISSUER']}/.well-known/openid-configuration`)
    expect(first.stderr).toContain('npx latchkey user create')
    for (const line of first.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ level: 'info' })
    for (const file of ['keys/master.key', 'data/latchkey.db'])
      expect(statSync(`${folder}/${file}`).mode & 0o777).toBe(0o600)

    const second = await run('main.ts')
    expect(second.code).toBe(0)
    expect(second.stdout).not.toContain('schema')
  })

  test('a second SIGTERM right after the first changes nothing', async () => {
    const child = spawn(process.execPath, [path.join(ROOT, 'src/main.ts')], {
      env: { PATH: process.env['PATH'], ...settings },
      cwd: ROOT,
    })
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (chunk) => String(chunk).includes('ready') && resolve()),
    )
    const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)))
    child.kill('SIGTERM')
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  })
})

describe('a start that cannot be says why in one sentence and a remedy, exit 78', () => {
  test('settings with problems: all of them', async () => {
    settings['ISSUER'] = 'http://id.example.com'
    settings['PORT'] = 'x'
    const [server, check] = [await run('main.ts'), await run('cli.ts', ['config', 'check'])]
    for (const { code, stderr, stdout } of [server, check]) {
      expect(code).toBe(78)
      expect(stdout).toBe('')
      expect(stderr).toContain('ISSUER must start with https://')
      expect(stderr).toContain('PORT must be a whole number')
    }
  })

  test('the port is taken', async () => {
    const taken = await occupy(Number(new URL(settings['ISSUER'] ?? '').port))
    const { code, stderr } = await run('main.ts')
    taken.close()
    expect(code).toBe(78)
    expect(stderr).toMatch(/Port \d+ on localhost is taken by another program\.\nStop that program, or set PORT/)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test.skipIf(process.getuid?.() === 0)('the folder of the keys cannot be written', async () => {
    chmodSync(folder, 0o500)
    const { code, stderr } = await run('main.ts')
    chmodSync(folder, 0o700)
    expect(code).toBe(78)
    expect(stderr).toContain('cannot be written')
  })

  test.each([
    [
      'where keys should be there is a file',
      () => writeFileSync(`${folder}/keys`, ''),
      /master\.key cannot be read|cannot be written/,
    ],
    ['where data should be there is a file', () => writeFileSync(`${folder}/data`, ''), /cannot be opened/],
    [
      'the database is no database',
      () => {
        writeFileSync(`${folder}/notes.txt`, 'These are notes, and long enough to be no database at all.')
        settings['DATABASE_URL'] = `sqlite:${folder}/notes.txt`
      },
      /notes\.txt cannot be opened: file is not a database/,
    ],
    [
      'PostgreSQL is not there',
      () => (settings['DATABASE_URL'] = 'postgres://latchkey:hunter2@127.0.0.1:9/latchkey'),
      /postgres database cannot be reached/,
    ],
    [
      'TLS files are not there',
      () =>
        Object.assign(settings, { ISSUER: 'https://localhost:4000', TLS_CERT: '/no/cert.pem', TLS_KEY: '/no/key.pem' }),
      /TLS_CERT names \/no\/cert\.pem/,
    ],
  ])('%s', async (_case, arrange, sentence) => {
    arrange()
    const { code, stderr, stdout } = await run('main.ts')
    expect([code, stdout.includes('"level":"error"')]).toEqual([78, false])
    expect(stderr).toMatch(sentence)
    expect(stderr).not.toContain('hunter2')
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('the master key can be read by others; config check says the same', async () => {
    await run('main.ts')
    chmodSync(`${folder}/keys/master.key`, 0o644)
    for (const { code, stderr } of [await run('main.ts'), await run('cli.ts', ['config', 'check'])]) {
      expect(code).toBe(78)
      expect(stderr).toContain(`Run: chmod 600 ${folder}/keys/master.key`)
    }
  })

  test('the master key is not the one of this database; config check says the same', async () => {
    await run('main.ts')
    rmSync(`${folder}/keys/master.key`)
    writeFileSync(`${folder}/keys/master.key`, `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 })
    for (const { code, stderr } of [await run('main.ts'), await run('cli.ts', ['config', 'check'])]) {
      expect(code).toBe(78)
      expect(stderr).toContain('does not open with the master key in use')
    }
  })
})

describe('commands of the house', () => {
  test('config check finds nothing wrong, and makes nothing', async () => {
    const { code, stdout } = await run('cli.ts', ['config', 'check', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ status: 'ok', issuer: settings['ISSUER'] })
    expect(existsSync(`${folder}/keys`) || existsSync(`${folder}/data`)).toBe(false)
  })

  test('migrate --status tells what is pending, migrate applies it, and both say so in JSON', async () => {
    const before = JSON.parse((await run('cli.ts', ['migrate', '--status', '--json'])).stdout) as { pending: string[] }
    expect(before).toMatchObject({ applied: [], foreign: [] })
    const applied = JSON.parse((await run('cli.ts', ['migrate', '--json'])).stdout) as { applied: string[] }
    expect(applied.applied).toEqual(before.pending)
    expect((await run('cli.ts', ['migrate'])).stdout).toBe('The schema is up to date.\n')
  })

  test('config docs --check finds the generated documents fresh', async () => {
    expect(await run('cli.ts', ['config', 'docs', '--check'])).toMatchObject({ code: 0, stdout: 'Up to date.\n' })
  })

  test.each([
    [[], 2, /Usage: latchkey/],
    [['nonsense'], 2, /unknown command|error:/],
    [['client', 'nonsense'], 2, /unknown command|error:/],
    [['client', 'show'], 2, /missing required argument/],
    [['client', 'list', '--nonsense'], 2, /unknown option/],
  ])('misuse: latchkey %j', async (args, code, sentence) => {
    const ended = await run('cli.ts', args)
    expect([ended.code, ended.stdout]).toEqual([code, ''])
    expect(ended.stderr).toMatch(sentence)
  })
})

function occupy(port: number): Promise<Server> {
  const server = createServer()
  return new Promise((resolve) => server.listen(port, 'localhost', () => resolve(server)))
}
