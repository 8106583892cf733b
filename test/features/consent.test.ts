// The consent page: who asks for what, in words, once.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, codeFor } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe.each(databases)('the consent page on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
  })
  beforeEach(async () => {
    web = await createClient(app.services, {
      name: 'Library of Bath',
      metadata: {
        client_uri: 'https://library.example',
        policy_uri: 'https://library.example/privacy',
        tos_uri: 'https://library.example/terms',
      },
    })
    browser = browserSession(app.issuer)
  })
  afterAll(() => app.close())

  const open = (changes = {}) => browser.open(authorizeUrl(app, web, changes))

  test('says who asks for what, in words, and where the way leads', async () => {
    const page = await signIn(browser, await open({ scope: 'openid profile email groups' }))
    for (const words of [
      'Library of Bath',
      'your profile',
      'your e-mail address',
      'your groups',
      'Ada Byron',
      'https://library.example/privacy',
      'https://library.example/terms',
      'localhost:9',
    ]) {
      expect(page.body.toLowerCase()).toContain(words.toLowerCase())
    }
    expect(page.body).not.toMatch(/your postal address/i)
  })

  test.each(['app.example:/callback', 'com.evil.app://app.example/callback'])(
    'refuses %s, which any app may claim, the looks of a host',
    async (uri) => {
      const native = await createClient(app.services, { type: 'native', redirect_uris: [uri] })
      const page = await browser.open(authorizeUrl(app, native, { redirect_uri: uri }))
      expect((await signIn(browser, page)).body).toContain(`<bdi class="name">${uri.split('/', 1)[0]}</bdi>`)
    },
  )

  test('asks once, in this browser and the next', async () => {
    await codeFor(app, web, {}, browser)
    expect(locationOf(await open()).searchParams.get('code')).toBeTruthy()
    const next = browserSession(app.issuer)
    expect(
      locationOf(await signIn(next, await next.open(authorizeUrl(app, web)))).searchParams.get('code'),
    ).toBeTruthy()
  })

  test('asks only for what is new, and remembers both', async () => {
    await codeFor(app, web, { scope: 'openid email' }, browser)
    const page = await open({ scope: 'openid email phone' })
    expect(page.body).toMatch(/your phone number/i)
    expect(page.body).not.toMatch(/your e-mail address/i)
    await browser.submit(page, { decision: 'allow' })
    expect(
      locationOf(await open({ scope: 'openid email phone', prompt: 'none' })).searchParams.get('code'),
    ).toBeTruthy()
  })

  test('asks again for prompt=consent, and for everything', async () => {
    await codeFor(app, web, { scope: 'openid email' }, browser)
    const page = await open({ scope: 'openid email', prompt: 'consent' })
    expect(page.body).toMatch(/your e-mail address/i)
  })

  test('remembers no refusal as an allowance', async () => {
    const page = await signIn(browser, await open())
    expect(locationOf(await browser.submit(page, { decision: 'deny' })).searchParams.get('error')).toBe('access_denied')
    expect((await open()).body).toContain('id="consent"')
  })

  test('is each person’s own', async () => {
    if (!(await app.services.accounts.find('eve')))
      await createPerson(app.services, { email: 'eve@example.com', username: 'eve' })
    await codeFor(app, web, {}, browser)
    const other = browserSession(app.issuer)
    expect((await signIn(other, await other.open(authorizeUrl(app, web)), 'eve')).body).toContain('id="consent"')
  })
})
