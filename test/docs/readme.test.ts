// The README as a stranger follows it: its commands are run in their order, and its application is taken out of it,
// started, and signed in to.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { administration } from '#app/administration.ts'
import { features } from '#app/features.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { PASSWORD, startApp, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { patiently } from '../support/patience.ts'
import { signIn } from '../support/relying-party.ts'
import { captureTerminal } from '../support/terminal.ts'
import { fences, ROOT, shellWords, textOf } from './markdown.ts'

/** `latchkey` as the documents call it: by npx, and in production by its program. */
const COMMAND = /^(?:npx latchkey|node src\/cli\.ts) (.+)$/gm

const [sqlite] = databases

describe('the README, followed by a stranger', () => {
  let app: TestApp
  let port: number
  let readme: string

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
    port = await freePort()
    readme = textOf('README.md')
      .replaceAll('localhost:8080', `localhost:${port}`)
      .replaceAll('listen(8080', `listen(${port}`)
    // the commands of the house itself read the environment
    vi.stubEnv('ISSUER', app.issuer)
    vi.stubEnv('DATABASE_URL', app.config.databaseUrl.reveal())
    vi.stubEnv('KEYS_DIR', app.config.keysDir)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await app.close()
  })

  test('every latchkey command of the README and of docs/operations.md does what it says', async () => {
    const commands = [readme, textOf('docs/operations.md')].flatMap((text) =>
      fences(text, 'sh').flatMap((block) => [...block.matchAll(COMMAND)].map(([, words = '']) => words)),
    )
    expect(commands.length).toBeGreaterThanOrEqual(8)
    for (const command of commands) {
      const { terminal, stdout, stderr } = captureTerminal({
        answers: { secret: PASSWORD },
        // beside the server's keys: it goes with them
        callerDir: path.dirname(app.config.keysDir),
      })
      const exit = await runCommandLine(
        {
          groups: features.flatMap((feature) => feature.commands ?? []),
          standalone: administration,
          terminal,
          withNeeds: <T>(run: (services: Services) => Promise<T>) => run(app.services),
        },
        shellWords(command),
      )
      expect({ command, exit, stderr: stderr() }).toEqual({ command, exit: 0, stderr: '' })
      expect(stdout()).not.toBe('')
    }
  })

  test('the application of the README signs the person of the README in', async () => {
    const { items } = await app.services.clients.list({ limit: 10 })
    const client = items.find(({ name }) => name === 'My app')
    const [snippet = ''] = fences(readme, 'js')
    // below the checkout, so that it finds openid-client as an application of its own would
    mkdirSync(path.join(ROOT, '.cache'), { recursive: true })
    const folder = mkdtempSync(path.join(ROOT, '.cache', 'readme-'))
    const file = path.join(folder, 'app.mjs')
    writeFileSync(file, snippet)
    const env = { ...process.env, ISSUER: app.issuer, CLIENT_ID: client?.id, CLIENT_SECRET: client?.secret }
    const running = spawn(process.execPath, [file], { env, stdio: ['ignore', 'inherit', 'inherit'] })
    const gone = once(running, 'exit').then(([code]) => {
      throw new Error(`the application ended with ${code}`)
    })
    try {
      const origin = `http://localhost:${port}`
      await Promise.race([patiently(() => fetch(origin, { redirect: 'manual' })), gone])
      const browser = browserSession(origin)
      const provider = browserSession(app.issuer)
      const asked = await browser.open('/')
      const consent = await signIn(provider, await provider.open(locationOf(asked).href), 'ada@example.com')
      const back = locationOf(await provider.submit(consent, { decision: 'allow' }))
      expect((await browserSession(origin).open(back.href)).status).toBe(400)
      const hello = await browser.open(back.href)
      expect([hello.status, hello.body]).toEqual([
        200,
        expect.stringContaining('Hello, Ada Byron. You are ada@example.com'),
      ])
    } finally {
      running.kill()
      await gone.catch(() => {})
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
