// The sign-in as people meet it: tabs, the back button, a known browser, and applications that know whom they expect.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, claimsIn, redeem, tokensFor, tokensIn } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe.each(databases)('signing in on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    await createPerson(app.services, {
      email: 'eve@example.com',
      username: 'eve',
      given_name: 'Eve',
      family_name: 'Moneypenny',
    })
    web = await createClient(app.services, { first_party: true })
  })
  beforeEach(() => {
    browser = browserSession(app.issuer)
  })
  afterAll(() => app.close())

  const open = (changes = {}) => browser.open(authorizeUrl(app, web, changes))
  const codeIn = (page: Parameters<typeof locationOf>[0]) => locationOf(page).searchParams.get('code') ?? ''

  test('answers each form with 303, or 422 and the form again', async () => {
    const page = await open()
    const action = /action="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const post = (password: string) =>
      browser.request(action, { method: 'POST', body: new URLSearchParams({ csrf, username: 'ada', password }) })
    const wrong = await post('not the password')
    expect(wrong.status).toBe(422)
    expect(wrong.body).toMatch(/id="sign-in"[\s\S]*value="ada"/)
    expect(wrong.body).not.toContain('not the password')
    expect((await post('a long walk by the sea')).status).toBe(303)
  })

  test('lets two tabs finish, each with its own request', async () => {
    const first = await open({ state: 'first' })
    const second = await open({ state: 'second' })
    expect(locationOf(await signIn(browser, second)).searchParams.get('state')).toBe('second')
    const late = await signIn(browser, first)
    if (late.status === 303) expect(locationOf(late).searchParams.get('state')).toBe('first')
    else expect([late.status, errorOf(late)]).toEqual([400, expect.stringMatching(/expired|session_not_found/)])
    expect(codeIn(await open({ state: 'third' }))).not.toBe('')
  })

  test('knows the person in the next request, and asks nothing', async () => {
    await signIn(browser, await open())
    expect(codeIn(await open({ scope: 'openid groups' }))).not.toBe('')
  })

  test('fills in whom the application expects, which binds nobody', async () => {
    const page = await open({ login_hint: 'ada@example.com' })
    expect(page.body).toMatch(/name="username"[^>]*value="ada@example\.com"/)
    const { idToken } = tokensIn(await redeem(app, web, codeIn(await signIn(browser, page, 'eve'))))
    expect(claimsIn(idToken)['email']).toBe('eve@example.com')
  })

  test('takes somebody who is signed in as they are, whatever login_hint says', async () => {
    await signIn(browser, await open())
    const page = await open({ login_hint: 'eve@example.com' })
    expect(codeIn(page)).not.toBe('')
  })

  test('asks again for prompt=login and shows whom it asks', async () => {
    await signIn(browser, await open())
    const page = await open({ prompt: 'login' })
    expect(page.body).toMatch(/name="username"[^>]*value="ada"[\s\S]*readonly/)
    expect(codeIn(await signIn(browser, page))).not.toBe('')
  })

  test('gives no code of Eve to an application that expects Ada by a hint that we signed', async () => {
    const { idToken } = await tokensFor(app, web)
    await signIn(browser, await open(), 'eve')
    const none = await open({ id_token_hint: idToken, prompt: 'none' })
    expect(locationOf(none).searchParams.get('error')).toBe('login_required')
    const page = await open({ id_token_hint: idToken })
    expect(page.body).toContain('id="sign-in"')
    expect(page.body).not.toContain('value="eve"')
    const { idToken: second } = tokensIn(await redeem(app, web, codeIn(await signIn(browser, page, 'ada'))))
    expect(claimsIn(second)['email']).toBe('ada@example.com')
  })

  test('tells the application where somebody else signs in than its hint names', async () => {
    const { idToken } = await tokensFor(app, web)
    const callback = locationOf(await signIn(browser, await open({ id_token_hint: idToken }), 'eve'))
    expect([callback.searchParams.get('error'), callback.searchParams.get('code')]).toEqual(['login_required', null])
    expect(codeIn(await open())).not.toBe('')
  })

  test.each(['nonsense', 'login nonsense', 'none login', 'NONE'])('refuses prompt=%s', async (prompt) => {
    const page = await open({ prompt })
    expect(locationOf(page).searchParams.get('error')).toBe('invalid_request')
  })

  test('takes the person back to the application when they turn back', async () => {
    const page = await open({ state: 'x' })
    const callback = locationOf(await browser.submit(page, { cancel: 'yes' }))
    expect([callback.searchParams.get('error'), callback.searchParams.get('state')]).toEqual(['access_denied', 'x'])
  })

  test('tells somebody who comes to a finished sign-in to start again at the application', async () => {
    const page = await open()
    await signIn(browser, page)
    const back = await browser.open(page.url)
    expect([back.status, errorOf(back)]).toEqual([400, 'expired'])
    expect(back.body).toContain('Go back to the app')
  })
})
