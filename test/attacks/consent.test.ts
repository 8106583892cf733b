// Consent: what is granted was asked of the person and shown to them, whatever a form says.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  bystander,
  codeFor,
  expectNothingGiven,
  redeem,
  tokensIn,
  userinfo,
} from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

const FORM = 'application/x-www-form-urlencoded'

describe.each(databases)('consent on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    await createPerson(app.services, { email: 'eve@example.com', username: 'eve', given_name: 'Eve' })
    web = await createClient(app.services)
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    await stillWorks()
    await app.services.consents.forget((await app.services.accounts.get('ada')).id, web.client.id)
  })
  afterAll(() => app.close())

  const newBrowser = () => browserSession(app.issuer)
  const toConsent = async (browser: BrowserSession, changes = {}) =>
    signIn(browser, await browser.open(authorizeUrl(app, web, changes)))

  test('A24 grants what was asked, whatever else the consent form says', async () => {
    const browser = newBrowser()
    const page = await toConsent(browser, { scope: 'openid' })
    const eve = await app.services.accounts.get('eve')
    const forged = {
      scope: 'openid email groups offline_access',
      scopes: 'email',
      claims: '{"userinfo":{"email":null}}',
      accountId: eve.id,
      account_id: eve.id,
      client_id: 'other',
      grantId: 'other',
      grant_id: 'other',
      resource: 'https://api.example',
    }
    const callback = locationOf(await browser.submit(page, { decision: 'allow', ...forged }))
    const answer = await redeem(app, web, callback.searchParams.get('code') ?? '')
    expect(answer.json['scope']).toBe('openid')
    expect(answer.json).not.toHaveProperty('refresh_token')
    const { accessToken } = tokensIn(answer)
    const ada = await app.services.accounts.get('ada')
    expect((await userinfo(app, accessToken)).json).toEqual({ sub: ada.id })
    expect(await app.services.consents.find(ada.id, web.client.id)).toEqual({
      scopes: ['openid'],
      claims: [],
      resources: {},
    })
    expect(await app.services.consents.find(eve.id, web.client.id)).toBeUndefined()
  })

  test('A24 refuses a consent form whose decision is neither, or both', async () => {
    for (const body of ['decision=maybe', '', 'decision=allow&decision=deny', 'decision[]=allow']) {
      const browser = newBrowser()
      const page = await toConsent(browser)
      const fields = new URLSearchParams(hiddenFields(page.body)).toString()
      const answer = await browser.request(`${page.url}/consent`, {
        method: 'POST',
        body: `${fields}&${body}`,
        headers: { 'content-type': FORM },
      })
      expectNothingGiven(answer, { signedIn: true })
      const end = answer.status === 303 ? locationOf(await browser.open(locationOf(answer).href)) : undefined
      expect(end?.searchParams.get('error') ?? answer.status).toBeOneOf(['access_denied', 400, 422])
    }
  })

  test('A25 asks for consent where none was given, and tells prompt=none that it would', async () => {
    const browser = newBrowser()
    await codeFor(app, web, { scope: 'openid' }, browser)
    const none = locationOf(await browser.open(authorizeUrl(app, web, { scope: 'openid email', prompt: 'none' })))
    expect(none.searchParams.get('error')).toBe('consent_required')
    expect((await browser.open(authorizeUrl(app, web, { scope: 'openid email' }))).body).toContain('id="consent"')
  })

  test('A25 asks a person for a native app each time, since another app may stand behind the same redirect', async () => {
    const native = await createClient(app.services, { type: 'native', redirect_uris: ['http://127.0.0.1/cb'] })
    const browser = newBrowser()
    const uri = { redirect_uri: 'http://127.0.0.1:50001/cb' }
    await codeFor(app, native, uri, browser)
    const next = { redirect_uri: 'http://127.0.0.1:50002/cb' }
    expect((await browser.open(authorizeUrl(app, native, next))).body).toContain('id="consent"')
    const none = locationOf(await browser.open(authorizeUrl(app, native, { ...next, prompt: 'none' })))
    expect(none.searchParams.get('error')).toMatch(/^(consent|interaction)_required$/)
  })
})
