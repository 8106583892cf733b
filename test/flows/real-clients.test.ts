// Relying parties that people use, configured as the guides say: what a library makes of its own settings signs in.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { text as textIn } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { followGuide, scratchFolder, type Guide } from '../docs/guide-pages.ts'
import { ROOT } from '../docs/markdown.ts'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { patiently } from '../support/patience.ts'
import { authorize } from '../support/relying-party.ts'

const [sqlite] = databases
const SECRET = 'of no worth outside this test, and long enough for everybody'
const csrfShape = z.object({ csrfToken: z.string() })

describe('libraries of relying parties', () => {
  const scratch = scratchFolder()
  let app: TestApp

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
    await createPerson(app.services)
  })
  afterAll(async () => {
    scratch.remove()
    await app.close()
  })

  /** The guide, with the port that the application got in the place of the one on the page. */
  const guideAt = (page: string, from: number, port: number): Promise<Guide> =>
    followGuide(app, `docs/guides/${page}`, (text) => text.replaceAll(`localhost:${from}`, `localhost:${port}`))

  /** Runs the application until the test is over, and waits until it answers. */
  async function started(port: number, argv: readonly string[], secret: string | undefined): Promise<string> {
    const running = spawn(process.execPath, argv, {
      env: { ...process.env, SESSION_SECRET: SECRET, LATCHKEY_CLIENT_SECRET: secret },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    onTestFinished(() => void running.kill())
    const origin = `http://localhost:${port}`
    const complained = textIn(running.stderr).then((said) => Promise.reject(new Error(said)))
    await Promise.race([patiently(() => fetch(origin, { redirect: 'manual' })), complained])
    return origin
  }

  test('Auth.js signs a person in and knows them by name and e-mail address', async () => {
    const port = await freePort()
    const guide = await guideAt('nextauth.md', 3001, port)
    // the configuration as Next.js would be given it
    const config = guide
      .fileOf('authjs', 'auth.js')
      .replace(/^import NextAuth.*$/m, 'const NextAuth = (auth) => ({ auth })')
    const argv = [path.join(ROOT, 'test/support/auth-js-site.mjs'), String(port), scratch.write('auth.mjs', config)]
    const application = browserSession(await started(port, argv, guide.clients.get('authjs')?.secret))

    const { csrfToken } = csrfShape.parse(JSON.parse((await application.open('/api/auth/csrf')).body))
    const asked = await application.request('/api/auth/signin/latchkey', {
      method: 'POST',
      body: new URLSearchParams({ csrfToken }),
    })
    const callback = await authorize(browserSession(app.issuer), locationOf(asked).href)
    await application.request(callback.href)
    expect(JSON.parse((await application.request('/api/auth/session')).body)).toMatchObject({
      user: { name: 'Ada Byron', email: 'ada@example.com' },
    })
  })

  test('express-openid-connect signs a person in and out', async () => {
    const port = await freePort()
    const guide = await guideAt('express.md', 8080, port)
    const program = guide.fileOf('express', 'app.mjs').replaceAll('8080', String(port))
    const origin = await started(port, [scratch.write('app.mjs', program)], guide.clients.get('express')?.secret)

    const person = browserSession(app.issuer)
    const application = browserSession(origin)
    const callback = await authorize(person, locationOf(await application.open('/')).href)
    expect((await application.open(callback.href)).body).toBe('Hello, Ada Byron\n')
    const question = await person.open(locationOf(await application.open('/logout')).href)
    expect(locationOf(await person.submit(question, { logout: 'yes' })).href).toBe(`${origin}/`)
    expect(locationOf(await application.open('/')).origin).toBe(app.issuer)
  })
})
