// The main job: a relying party sends a browser to sign in and learns who it is. With a real client library, over HTTP.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorize, relyingParty, signIn, type RelyingParty } from '../support/relying-party.ts'

describe.each(databases)('the code flow on $name', (database) => {
  let app: TestApp
  let registered: RegisteredClient
  let rp: RelyingParty

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services, { phone_number: '+441632960000' })
    registered = await createClient(app.services)
    rp = await relyingParty(app.issuer, registered)
  })
  afterAll(() => app.close())

  test('signs a person in, asks for consent, and gives verified tokens and claims', async () => {
    const browser = browserSession(app.issuer)
    const begun = await rp.begin()
    const passwordPage = await browser.open(begun.url)
    expect(passwordPage.body).toContain('id="sign-in"')
    const consentPage = await signIn(browser, passwordPage, 'ada@example.com')
    expect(consentPage.body).toContain('id="consent"')
    const callback = locationOf(await browser.submit(consentPage, { decision: 'allow' }))
    expect(callback.searchParams.get('iss')).toBe(app.issuer)

    const tokens = await rp.redeem(callback, begun)
    const claims = tokens.claims()
    expect(claims).toMatchObject({
      iss: app.issuer,
      aud: registered.client.id,
      name: 'Ada Byron',
      email: 'ada@example.com',
      email_verified: true,
      amr: ['pwd'],
    })
    expect(claims?.auth_time).toBeTypeOf('number')
    expect(tokens.refresh_token).toBeUndefined()

    const userinfo = await oidc.fetchUserInfo(rp.config, tokens.access_token, claims?.sub ?? '')
    expect(userinfo).toMatchObject({
      sub: claims?.sub,
      name: 'Ada Byron',
      given_name: 'Ada',
      family_name: 'Byron',
      preferred_username: 'ada',
      email: 'ada@example.com',
    })
    expect(userinfo).not.toHaveProperty('phone_number')
  })

  test('remembers the consent in a new session, and asks again for more', async () => {
    await authorize(browserSession(app.issuer), (await rp.begin()).url)
    const browser = browserSession(app.issuer)
    const again = await signIn(browser, await browser.open((await rp.begin()).url))
    expect(locationOf(again).searchParams.get('code')).toBeTruthy()
    const more = await browser.open((await rp.begin({ scope: 'openid profile email phone' })).url)
    expect(more.body).toContain('id="consent"')
    expect(more.body).toContain('See your phone number')
    expect(more.body).not.toContain('See your e-mail address')
  })

  test('goes back without a question where the browser is signed in and the consent is known', async () => {
    const browser = browserSession(app.issuer)
    await authorize(browser, (await rp.begin()).url)
    const page = await browser.open((await rp.begin({ prompt: 'none' })).url)
    expect(locationOf(page).searchParams.get('code')).toBeTruthy()
  })

  test('tells the relying party that the person did not allow it', async () => {
    await app.services.consents.forget((await app.services.accounts.get('ada')).id, registered.client.id)
    const browser = browserSession(app.issuer)
    const consentPage = await signIn(browser, await browser.open((await rp.begin()).url))
    const callback = locationOf(await browser.submit(consentPage, { decision: 'deny' }))
    expect(callback.searchParams.get('error')).toBe('access_denied')
    expect(callback.searchParams.get('iss')).toBe(app.issuer)
  })

  test('refuses a wrong password with the form again and says the same for an unknown person', async () => {
    const browser = browserSession(app.issuer)
    const page = await browser.open((await rp.begin({ login_hint: 'ada@example.com' })).url)
    expect(page.body).toContain('value="ada@example.com"')
    const wrong = await signIn(browser, page, 'ada', 'not the password')
    expect(wrong.status).toBe(422)
    expect(wrong.body).toContain('role="alert"')
    const unknown = await signIn(browser, wrong, 'nobody', 'not the password')
    expect(unknown.status).toBe(422)
    const told = ({ body }: Page): string =>
      body.replaceAll('value="nobody"', 'value="ada"').replace(/<code>\w{12}/, '')
    expect(told(unknown)).toBe(told(wrong))
  })

  test('gives a refresh token for offline access with consent, and new tokens for it', async () => {
    const begun = await rp.begin({ scope: 'openid email offline_access', prompt: 'consent' })
    const tokens = await rp.redeem(await authorize(browserSession(app.issuer), begun.url), begun)
    expect(tokens.refresh_token).toBeTypeOf('string')
    const refreshed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
    expect(refreshed.claims()).toMatchObject({ email: 'ada@example.com' })
  })

  test('honours prompt=none, prompt=login and max_age', async () => {
    const none = locationOf(await browserSession(app.issuer).open((await rp.begin({ prompt: 'none' })).url))
    expect(none.searchParams.get('error')).toBe('login_required')

    const browser = browserSession(app.issuer)
    await authorize(browser, (await rp.begin()).url)
    const again = await browser.open((await rp.begin({ prompt: 'login' })).url)
    expect(again.body).toContain('id="sign-in"')
    expect(again.body).toContain('readonly')
    const aged = await browser.open((await rp.begin({ max_age: '0' })).url)
    expect(aged.body).toContain('id="sign-in"')
  })

  test('refuses an unknown client and an unregistered redirect URI with a page and an id', async () => {
    const browser = browserSession(app.issuer)
    const unknown = await browser.open(
      `${app.issuer}/authorize?client_id=nobody&response_type=code&scope=openid&redirect_uri=https://evil.example/cb`,
    )
    expect([unknown.status, errorOf(unknown)]).toEqual([400, 'invalid_client'])
    const foreign = await browser.open((await rp.begin({ redirect_uri: 'https://evil.example/cb' })).url)
    expect([foreign.status, errorOf(foreign)]).toEqual([400, 'invalid_redirect_uri'])
    expect(foreign.headers.get('location')).toBeNull()
    expect(foreign.body).toMatch(/data-error-id="[0-9a-z]{12}"/)
  })
})
