// RP-Initiated Logout 1.0 with a real client library: out of this browser, or only out of the app.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, tokensFor, userinfo, refresh, type Tokens } from '../support/protocol.ts'
import { relyingParty, type RelyingParty } from '../support/relying-party.ts'

const AFTER = 'https://rp.example/signed-out?from=latchkey'

describe.each(databases)('signing out on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let other: RegisteredClient
  let rp: RelyingParty
  let browser: BrowserSession
  let tokens: Tokens

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true, post_logout_redirect_uris: [AFTER] })
    other = await createClient(app.services, { name: 'The other app', first_party: true })
    rp = await relyingParty(app.issuer, web)
  })
  beforeEach(async () => {
    browser = browserSession(app.issuer)
    tokens = await tokensFor(app, web, {}, browser)
  })
  afterAll(() => app.close())

  const leave = (fields: Record<string, string>) => browser.open(oidc.buildEndSessionUrl(rp.config, fields).href)
  const isSignedIn = async (client: RegisteredClient) =>
    locationOf(await browser.open(authorizeUrl(app, client, { prompt: 'none' }))).searchParams.has('code')

  test('asks, signs out, and returns with the state to where the client registered', async () => {
    const question = await leave({
      id_token_hint: tokens.idToken,
      post_logout_redirect_uri: AFTER,
      state: 'back again',
    })
    expect(question.body).toContain('Reading list')
    expect(question.body).toContain('Ada Byron')
    const back = locationOf(await browser.submit(question, { logout: 'yes' }))
    expect(back.href).toBe(`${AFTER}&state=back+again`)
    expect(await isSignedIn(web)).toBe(false)
    expect((await userinfo(app, tokens.accessToken)).status).toBe(401)
  })

  test('leaves the app alone where the person wants no more than that', async () => {
    const elsewhere = await tokensFor(app, other, { prompt: 'none' }, browser)
    const question = await leave({ id_token_hint: tokens.idToken, post_logout_redirect_uri: AFTER })
    const back = locationOf(await browser.submit(question, {}))
    expect(back.href).toBe(AFTER)
    expect((await userinfo(app, tokens.accessToken)).status).toBe(401)
    expect((await userinfo(app, elsewhere.accessToken)).status).toBe(200)
    expect(await isSignedIn(other)).toBe(true)
  })

  test('ends every app of the browser at sign-out, and nothing of another browser', async () => {
    const elsewhere = await tokensFor(app, other, { prompt: 'none' }, browser)
    const another = await tokensFor(app, web)
    const done = await browser.submit(await browser.open(`${app.issuer}/logout`), { logout: 'yes' })
    expect(done.body).toContain('You are signed out')
    expect((await userinfo(app, elsewhere.accessToken)).status).toBe(401)
    expect((await userinfo(app, another.accessToken)).status).toBe(200)
  })

  test('keeps offline access through a sign-out', async () => {
    const lasting = await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' }, browser)
    await browser.submit(await browser.open(`${app.issuer}/logout`), { logout: 'yes' })
    expect((await refresh(app, web, lasting.refreshToken)).status).toBe(200)
  })

  test('takes the hint of an expired ID token, and the client id alone', async () => {
    const question = await leave({ post_logout_redirect_uri: AFTER })
    expect(question.body).toContain('id="logout"')
    expect(locationOf(await browser.submit(question, { logout: 'yes' })).href).toBe(AFTER)
  })

  test('takes a posted logout request too', async () => {
    const posted = await browser.request(`${app.issuer}/logout`, {
      method: 'POST',
      body: new URLSearchParams({ id_token_hint: tokens.idToken, post_logout_redirect_uri: AFTER }),
    })
    const question = await browser.open(locationOf(posted).href)
    expect(locationOf(await browser.submit(question, { logout: 'yes' })).href).toBe(AFTER)
  })

  test('refuses to return where nothing is registered, and lets the person sign out without the app', async () => {
    const refusal = await leave({ id_token_hint: tokens.idToken, post_logout_redirect_uri: `${AFTER}&more=1` })
    expect(refusal.status).toBe(400)
    expect(refusal.body).toContain('You were not signed out')
    const href = /href="([^"]+)"[^>]*>Sign out here/.exec(refusal.body)?.[1] ?? ''
    await browser.submit(await browser.open(href), { logout: 'yes' })
    expect(await isSignedIn(web)).toBe(false)
  })

  test('says goodbye to somebody who is not signed in', async () => {
    const stranger = browserSession(app.issuer)
    let page = await stranger.open(`${app.issuer}/logout`)
    if (page.body.includes('<form')) page = await stranger.submit(page, {})
    expect(page.status).toBe(200)
    expect(page.body).toMatch(/<h1>/)
    const sent = oidc.buildEndSessionUrl(rp.config, {
      id_token_hint: tokens.idToken,
      post_logout_redirect_uri: AFTER,
    }).href
    const back = await stranger.open(sent)
    const end = back.body.includes('<form') ? await stranger.submit(back, { logout: 'yes' }) : back
    expect(locationOf(end).href).toBe(AFTER)
  })
})
