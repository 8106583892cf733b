// An issuer with a path: everything of ours stands below it, and health stays at the root of the host.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, send, tokensFor, userinfo } from '../support/protocol.ts'
import { relyingParty, signIn, type RelyingParty } from '../support/relying-party.ts'

const AFTER = 'https://rp.example/out'

describe('an issuer with a path', () => {
  let app: TestApp
  let root: string
  let web: RegisteredClient
  let rp: RelyingParty

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'), { path: '/id' })
    root = new URL(app.issuer).origin
    await createPerson(app.services)
    web = await createClient(app.services, { post_logout_redirect_uris: [AFTER] })
    rp = await relyingParty(app.issuer, web)
  })
  afterAll(() => app.close())

  test('is found by OpenID Connect Discovery and by RFC 8414', async () => {
    for (const address of [
      `${app.issuer}/.well-known/openid-configuration`,
      `${root}/.well-known/oauth-authorization-server/id`,
    ]) {
      const { status, json, headers } = await send(address)
      expect([status, json['issuer'], json['token_endpoint']]).toEqual([200, app.issuer, `${app.issuer}/token`])
      expect(headers.get('etag')).toBeTruthy()
    }
    const config = await oidc.discovery(new URL(app.issuer), web.client.id, web.secret, undefined, {
      algorithm: 'oauth2',
      execute: [oidc.allowInsecureRequests],
    })
    expect(config.serverMetadata().issuer).toBe(app.issuer)
  })

  test('signs in, redeems, reads userinfo and signs out below its path, cookies included', async () => {
    const browser = browserSession(root)
    const begun = await rp.begin()
    const page = await browser.open(begun.url)
    expect(new URL(page.url).pathname).toMatch(/^\/id\/interaction\//)
    expect(page.body).toMatch(/href="\/id\/assets\/latchkey\.[0-9a-f]+\.css"/)
    for (const { name, path } of browser.cookies.values()) {
      if (!name.includes('_session')) expect(path).toMatch(/^\/id\/(interaction|authorize)\//)
    }
    expect((await signIn(browser, page, 'ada', 'wrong password')).status).toBe(422)
    const consent = await signIn(browser, page)
    const callback = locationOf(await browser.submit(consent, { decision: 'allow' }))
    expect(callback.searchParams.get('iss')).toBe(app.issuer)
    const tokens = await rp.redeem(callback, begun)
    expect(tokens.claims()?.iss).toBe(app.issuer)
    expect((await userinfo(app, tokens.access_token)).status).toBe(200)
    expect((await tokensFor(app, web, { prompt: 'none' }, browser)).idToken).not.toBe('')

    const question = await browser.open(
      oidc.buildEndSessionUrl(rp.config, { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: AFTER })
        .href,
    )
    expect(locationOf(await browser.submit(question, { logout: 'yes' })).href).toBe(AFTER)
    expect((await userinfo(app, tokens.access_token)).status).toBe(401)
    expect(locationOf(await browser.open(authorizeUrl(app, web, { prompt: 'none' }))).searchParams.get('error')).toBe(
      'login_required',
    )
  })

  test('takes posted authorization and logout requests below its path', async () => {
    const [address = '', parameters = ''] = authorizeUrl(app, web).split('?')
    const browser = browserSession(root)
    const posted = await browser.request(address, { method: 'POST', body: new URLSearchParams(parameters) })
    expect(locationOf(posted).pathname).toBe('/id/authorize')
    expect((await browser.open(locationOf(posted).href)).body).toContain('id="sign-in"')
  })

  test('A21 refuses forms from other sites below its path too', async () => {
    const browser = browserSession(root)
    const page = await browser.open(authorizeUrl(app, web))
    const answer = await browser.request(`${page.url}/password`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada' }),
      headers: { origin: 'https://evil.example' },
    })
    expect([answer.status, errorOf(answer)]).toEqual([403, 'forbidden'])
  })

  test('has health at the root, its home at its path, and nothing elsewhere', async () => {
    expect((await send(`${root}/healthz`)).status).toBe(200)
    expect((await send(`${root}/readyz`)).status).toBe(200)
    expect((await send(app.issuer, { headers: { accept: 'text/html' } })).body).toContain(
      `${app.issuer}/.well-known/openid-configuration`,
    )
    for (const path of [
      '/',
      '/authorize',
      '/token',
      '/idx',
      '/id2/token',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/interaction/x',
      '/ID/token',
    ]) {
      expect((await send(root + path)).status, path).toBe(404)
    }
  })
})
