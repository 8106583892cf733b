// `npm run demo` as a person meets it: the program started, its sample application used from the button to the claims
// and out again. Twice on one folder, since the second run finds what the first one made.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserSession, locationOf, type BrowserSession, type Page } from '../support/browser-session.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const EMAIL = 'demo@example.com'
const PASSWORD = 'the key is under the mat'

interface Started {
  readonly process: ChildProcess
  /** What it said until it was ready. */
  readonly said: string
}

describe('npm run demo', () => {
  let folder: string
  let port: number
  let samplePort: number

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'latchkey-demo-'))
    const [first, second] = await Promise.all([occupy(), occupy()])
    port = await release(first)
    samplePort = await release(second)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const environment = (more: Readonly<Record<string, string>> = {}) => ({
    ...process.env,
    NO_COLOR: '1',
    DEMO_DIR: folder,
    PORT: String(port),
    SAMPLE_PORT: String(samplePort),
    LOG_FORMAT: 'json',
    // of the real installation: none of it may be touched
    DATABASE_URL: 'sqlite:/nowhere/real.db',
    KEYS_DIR: '/nowhere/keys',
    ...more,
  })

  async function runOnce(visit: (origins: { issuer: string; sample: string }) => Promise<void>): Promise<string> {
    const { process: running, said } = await start(environment())
    try {
      await visit({ issuer: `http://localhost:${port}`, sample: `http://localhost:${samplePort}` })
    } finally {
      const ended = once(running, 'exit')
      running.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
    }
    return said
  }

  test('goes from the button to the claims and out again, and a second run finds the same person and client', async () => {
    const subjects: string[] = []
    const clients: (string | null)[] = []
    for (const asksForConsent of [true, false]) {
      const said = await runOnce(async ({ issuer, sample }) => {
        const app = browserSession(sample)
        const provider = browserSession(issuer)

        const start = await app.open('/')
        expect(start.body).toContain('<button>Sign in</button>')
        const asked = await app.submit(start, {})
        clients.push(locationOf(asked).searchParams.get('client_id'))
        const signedIn = await signInAtProvider(provider, asked, asksForConsent)
        const claims = await app.open(locationOf(signedIn).href)
        expect(claims.status).toBe(200)
        expect(claims.body).toContain('<h1>Hello, Demo Person</h1>')
        expect(claims.body).toContain('<dt>email</dt><dd>demo@example.com</dd>')
        subjects.push(/<dt>sub<\/dt><dd>([^<]+)/.exec(claims.body)?.[1] ?? '')

        const leaving = await app.submit(claims, {})
        expect((await app.open('/')).body).toContain('Sign in')
        const confirm = await provider.open(locationOf(leaving).href)
        const back = await provider.submit(confirm, { logout: 'yes' })
        expect(locationOf(back).href).toBe(`${sample}/`)
      })
      expect(said).toContain(`http://localhost:${samplePort}`)
      expect(said).toContain(EMAIL)
      expect(said).toContain(PASSWORD)
    }
    expect(subjects[0]).toMatch(/^[\w-]{20,}$/)
    expect(subjects[1]).toBe(subjects[0])
    expect(clients[1]).toBe(clients[0])
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['keys', 'latchkey.db']))
  })

  test('takes an answer only in the browser that asked, and only once', async () => {
    await runOnce(async ({ issuer, sample }) => {
      const app = browserSession(sample)
      const asked = await app.submit(await app.open('/'), {})
      const callback = locationOf(await signInAtProvider(browserSession(issuer), asked, false)).href

      const stranger = await browserSession(sample).open(callback)
      expect([stranger.status, stranger.body]).toEqual([400, expect.stringContaining('no sign-in under way')])
      const forged = new URL(callback)
      forged.searchParams.set('state', '<script>')
      const otherApp = browserSession(sample)
      await otherApp.submit(await otherApp.open('/'), {})
      const refused = await otherApp.open(forged.href)
      expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('You are not signed in')])
      expect(refused.body).not.toContain('<script>')

      expect((await app.open(callback)).body).toContain('Hello, Demo Person')
      expect((await app.open(callback)).status).toBe(400)
    })
  })

  test('says in a sentence which port is taken', async () => {
    const taken = await occupy()
    const takenPort = String((taken.address() as AddressInfo).port)
    try {
      for (const name of ['PORT', 'SAMPLE_PORT']) {
        const { process: refused, said } = await start(environment({ [name]: takenPort }))
        expect(refused.exitCode).toBe(78)
        expect(said).toContain(`Port ${takenPort}`)
        expect(said).toContain(name)
        expect(said).not.toContain('    at ')
      }
    } finally {
      await release(taken)
    }
  })
})

async function signInAtProvider(provider: BrowserSession, asked: Page, asksForConsent: boolean): Promise<Page> {
  const password = await provider.open(locationOf(asked).href)
  const after = await provider.submit(password, { username: EMAIL, password: PASSWORD })
  expect(after.body.includes('id="consent"')).toBe(asksForConsent)
  return asksForConsent ? provider.submit(after, { decision: 'allow' }) : after
}

/** Waits until the program says that it is ready, or ends. */
async function start(env: NodeJS.ProcessEnv): Promise<Started> {
  const child = spawn(process.execPath, ['tools/demo.ts'], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('Ctrl-C')) resolve()
    })
    child.on('close', () => resolve())
  })
  return { process: child, said }
}

async function occupy() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function release(server: Awaited<ReturnType<typeof occupy>>): Promise<number> {
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
