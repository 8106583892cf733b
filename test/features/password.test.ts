// The password page: what it takes, what it says, and what it never tells.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '#core/accounts/account.ts'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe.each(databases)('the password page on $name', (database) => {
  let app: TestApp
  let ada: Account
  let web: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    ada = await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
  })
  beforeEach(async () => {
    await app.services.accounts.enable(ada.id) // forgets the wrong passwords of the test before
    browser = browserSession(app.issuer)
  })
  afterAll(() => app.close())

  const attempt = async (username: string, password: string) =>
    signIn(browser, await browser.open(authorizeUrl(app, web)), username, password)

  test.each(['ada', 'ADA', ' ada ', 'ada@example.com', 'Ada@Example.COM'])(
    'takes %j for the name of the person',
    async (username) => {
      expect(locationOf(await attempt(username, PASSWORD)).searchParams.get('code')).toBeTruthy()
    },
  )

  test.each([PASSWORD.toUpperCase(), `${PASSWORD} `, ` ${PASSWORD}`, PASSWORD.slice(0, -1), '', 'x'.repeat(50_000)])(
    'refuses %j, which is not quite the password',
    async (password) => {
      const page = await attempt('ada', password)
      expect(page.status).toBe(422)
      expect(page.body).toContain('role="alert"')
      expect(page.body).not.toContain('a long walk')
    },
  )

  test('A34 refuses a password with a NUL unread', async () => {
    const page = await attempt('ada', `${PASSWORD}\0`)
    expect(page.status).toBe(400)
    expect(page.body).not.toContain('a long walk')
  })

  test('takes the new password at once, and the old one no more', async () => {
    const person = await createPerson(app.services, { email: 'joan@example.com', username: 'joan' })
    await app.services.accounts.setPassword(person.id, 'a boat under the old bridge')
    expect((await attempt('joan', PASSWORD)).status).toBe(422)
    expect(locationOf(await attempt('joan', 'a boat under the old bridge')).searchParams.get('code')).toBeTruthy()
  })

  test('names the app, keeps what was typed, and has fields that password managers know', async () => {
    const page = await attempt('<b>nobody</b>', 'wrong password')
    expect(page.body).toContain('Reading list')
    expect(page.body).toContain('value="&lt;b&gt;nobody&lt;/b&gt;"')
    expect(page.body).toMatch(/name="username"[^>]*autocomplete="username"/)
    expect(page.body).toMatch(/name="password"[^>]*autocomplete="current-password"/)
    expect(page.body).not.toContain('wrong password')
  })
})
