// Signing out: nobody is signed out without being asked, and nobody is sent where no client registered.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import {
  browserSession,
  errorOf,
  hiddenFields,
  locationOf,
  type BrowserSession,
  type Page,
} from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, bystander, expectNothingGiven, query, tokensFor } from '../support/protocol.ts'

const AFTER = 'https://rp.example/signed-out'

describe.each(databases)('signing out on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let browser: BrowserSession
  let idToken: string
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true, post_logout_redirect_uris: [AFTER] })
    browser = browserSession(app.issuer)
    idToken = (await tokensFor(app, web, {}, browser)).idToken
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    await stillWorks()
    const none = locationOf(await browser.open(authorizeUrl(app, web, { prompt: 'none' })))
    expect(none.searchParams.get('code'), 'the person was signed out').toBeTruthy()
  })
  afterAll(() => app.close())

  const leave = (fields: Record<string, string>) => browser.open(`${app.issuer}/logout?${query(fields)}`)
  const expectErrorPage = (page: Page) => {
    expectNothingGiven(page, { signedIn: true })
    expect([page.status, errorOf(page)]).toEqual([400, expect.stringMatching(/^invalid_(request|client)$/)])
    expect(page.headers.get('location')).toBeNull()
  }

  test('A69 refuses a hint that is forged, tampered with or of no client', async () => {
    const [header = '', payload = '', signature = ''] = idToken.split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const hint of [
      'nonsense',
      `${none}.${payload}.`,
      `${header}.${payload}.${'A'.repeat(signature.length)}`,
      `${header}.${Buffer.from('{}').toString('base64url')}.${signature}`,
    ]) {
      expectErrorPage(await leave({ id_token_hint: hint, post_logout_redirect_uri: AFTER }))
    }
  })

  test.each([
    'https://evil.example',
    `${AFTER}?x=1`,
    `${AFTER}/`,
    `${AFTER}#x`,
    `${AFTER}/../x`,
    'https://rp.example.evil/signed-out',
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example',
    '',
  ])('A69 refuses to return to %j, which was not registered', async (uri) => {
    const page = await leave({ client_id: web.client.id, id_token_hint: idToken, post_logout_redirect_uri: uri })
    if (uri === '') expect(page.body).toContain('id="logout"')
    else expectErrorPage(page)
  })

  test('A69 refuses a return address of a client that is unknown or not named', async () => {
    const unnamed = await leave({ post_logout_redirect_uri: AFTER })
    expect(unnamed.body).not.toContain('rp.example')
    expect(unnamed.headers.get('location')).toBeNull()
    expectErrorPage(await leave({ client_id: 'nobody', post_logout_redirect_uri: AFTER }))
    const other = await createClient(app.services)
    expectErrorPage(await leave({ client_id: other.client.id, id_token_hint: idToken }))
  })

  test('A69 asks before it signs out, with the right hint too', async () => {
    for (const fields of [
      {},
      { id_token_hint: idToken },
      { client_id: web.client.id },
      { id_token_hint: idToken, post_logout_redirect_uri: AFTER, state: 'x' },
    ]) {
      expect((await leave(fields)).body).toContain('id="logout"')
    }
  })

  test('A69 refuses the answer without its token, with a wrong one, and from another site', async () => {
    const page = await leave({})
    const action = `${app.issuer}/logout/confirm`
    const { xsrf = '' } = hiddenFields(page.body)
    for (const [fields, headers] of [
      [{ logout: 'yes' }, {}],
      [{ logout: 'yes', xsrf: '' }, {}],
      [{ logout: 'yes', xsrf: 'wrong' }, {}],
      [{ logout: 'yes', xsrf }, { origin: 'https://evil.example' }],
      [{ logout: 'yes', xsrf }, { 'sec-fetch-site': 'cross-site' }],
    ] satisfies [Record<string, string>, Record<string, string>][]) {
      const answer = await browser.request(action, { method: 'POST', body: new URLSearchParams(fields), headers })
      expectNothingGiven(answer, { signedIn: true })
      expect([400, 403]).toContain(answer.status)
    }
    expect(
      (
        await browserSession(app.issuer).request(action, {
          method: 'POST',
          body: new URLSearchParams({ logout: 'yes', xsrf }),
        })
      ).status,
    ).toBe(400)
  })

  test('A69 prints a hostile state nowhere, and asks when the request is posted from another site', async () => {
    const state = '"><script>alert(1)</script>'
    const page = await leave({ client_id: web.client.id, post_logout_redirect_uri: AFTER, state })
    expect(page.body).not.toContain('<script>alert')
    const posted = await browser.request(`${app.issuer}/logout`, {
      method: 'POST',
      body: new URLSearchParams({ id_token_hint: idToken }),
      headers: { origin: 'https://rp.example', 'sec-fetch-site': 'cross-site' },
    })
    expect((await browser.open(locationOf(posted).href)).body).toContain('id="logout"')
  })
})
