// The pages of signing out.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { codeFor, query } from '../support/protocol.ts'

describe('the logout pages', () => {
  let app: TestApp
  let web: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
  })
  beforeEach(async () => {
    browser = browserSession(app.issuer)
    await codeFor(app, web, {}, browser)
  })
  afterAll(() => app.close())

  test('ask whose session ends, and offer to stay', async () => {
    const page = await browser.open(`${app.issuer}/logout`)
    expect(page.body).toMatch(/<form id="logout" method="post"/)
    expect(page.body).toContain('Ada Byron')
    expect(page.body).toContain('name="logout" value="yes"')
    expect(Object.keys(hiddenFields(page.body))).toEqual(['xsrf'])
    const stayed = await browser.submit(page, {})
    expect(stayed.body).toContain('still signed in')
  })

  test('offer to leave only the app that asked', async () => {
    const page = await browser.open(`${app.issuer}/logout?${query({ client_id: web.client.id })}`)
    expect(page.body).toContain('Reading list')
    const left = await browser.submit(page, {})
    expect(left.status).toBe(200)
    expect(left.body).toContain('Reading list')
  })

  test('say that the person is signed out', async () => {
    const done = await browser.submit(await browser.open(`${app.issuer}/logout`), { logout: 'yes' })
    expect(done.body).toContain('signed out')
    expect(done.headers.get('cache-control')).toContain('no-store')
    expect([...browser.cookies.values()].filter(({ name }) => name.endsWith('latchkey_session'))).toHaveLength(0)
  })
})
