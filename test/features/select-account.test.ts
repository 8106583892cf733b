// The account chooser: prompt=select_account alone and with everything that may stand beside it.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '#core/accounts/account.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf, type BrowserSession, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, tokensFor, userinfo } from '../support/protocol.ts'
import { authorize, relyingParty, signIn, type Begun, type RelyingParty } from '../support/relying-party.ts'

describe.each(databases)('the account chooser on $name', (database) => {
  let app: TestApp
  let registered: RegisteredClient
  let rp: RelyingParty
  let ada: Account
  let eve: Account
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    ada = await createPerson(app.services)
    eve = await createPerson(app.services, { email: 'eve@example.com', username: 'eve', given_name: 'Eve' })
    registered = await createClient(app.services)
    rp = await relyingParty(app.issuer, registered)
    for (const username of ['ada', 'eve']) {
      const other = browserSession(app.issuer)
      const page = await signIn(other, await other.open((await rp.begin()).url), username)
      await other.submit(page, { decision: 'allow' })
    }
  })
  beforeEach(() => {
    browser = browserSession(app.issuer)
  })
  afterAll(() => app.close())

  /** Signs in as Ada first. */
  const signedIn = () => authorize(browser, authorizeUrl(app, registered))
  const ask = async (parameters: Record<string, string>): Promise<{ page: Page; begun: Begun }> => {
    const begun = await rp.begin({ prompt: 'select_account', ...parameters })
    return { page: await browser.open(begun.url), begun }
  }
  const claimsOf = async (page: Page, begun: Begun) => (await rp.redeem(locationOf(page), begun)).claims()
  const step = ({ body }: Page) =>
    ['select-account', 'sign-in', 'consent'].find((id) => body.includes(`<form id="${id}"`)) ?? 'none'

  test('shows the account that is signed in and the way to another', async () => {
    await signedIn()
    const { page } = await ask({})
    expect(page.status).toBe(200)
    expect(step(page)).toBe('select-account')
    expect(page.body).toContain('Ada Byron')
    expect(page.body).toContain('ada@example.com')
    expect(page.body.match(/<button[^>]*name="account"/g)).toHaveLength(1)
    expect(page.body.match(/<button[^>]*name="other"/g)).toHaveLength(1)
  })

  test('goes on as the chosen account, without password or consent, and as of the same sign-in', async () => {
    const before = await rp.begin()
    const first = await claimsOf(await browser.open(before.url).then((page) => signIn(browser, page)), before)
    const { page, begun } = await ask({})
    const claims = await claimsOf(await browser.submit(page, { account: ada.id }), begun)
    expect(claims).toMatchObject({ sub: ada.id, auth_time: first?.auth_time, amr: ['pwd'] })
  })

  test('goes straight to the sign-in where nobody is signed in, and does not ask which account after it', async () => {
    const { page, begun } = await ask({})
    expect(step(page)).toBe('sign-in')
    expect(await claimsOf(await signIn(browser, page), begun)).toMatchObject({ sub: ada.id })
  })

  test('leads to a free sign-in page for another account; the session ends when somebody else has signed in', async () => {
    const bound = await tokensFor(app, registered, {}, browser)
    const { page, begun } = await ask({ login_hint: 'ada' })
    const password = await browser.submit(page, { other: 'yes' })
    expect(step(password)).toBe('sign-in')
    expect(password.body).not.toContain('readonly')
    expect(password.body).not.toContain('value="ada"')
    expect((await userinfo(app, bound.accessToken)).status).toBe(200)
    expect(await claimsOf(await signIn(browser, password, 'eve'), begun)).toMatchObject({ sub: eve.id })
    expect((await userinfo(app, bound.accessToken)).status).toBe(401)
    const next = await rp.begin({ prompt: 'none' })
    expect(await claimsOf(await browser.open(next.url), next)).toMatchObject({ sub: eve.id })
  })

  test('leaves the session as it was where the person turns back, at the chooser or after it', async () => {
    await signedIn()
    for (const other of [false, true]) {
      const { page } = await ask({})
      const from = other ? await browser.submit(page, { other: 'yes' }) : page
      const callback = locationOf(await browser.submit(from, { cancel: 'yes' }))
      expect(callback.searchParams.get('error')).toBe('access_denied')
      const none = await rp.begin({ prompt: 'none' })
      expect(await claimsOf(await browser.open(none.url), none)).toMatchObject({ sub: ada.id })
    }
  })

  test('takes the same person who signs in again under another account', async () => {
    await signedIn()
    const { page, begun } = await ask({})
    const again = await signIn(browser, await browser.submit(page, { other: 'yes' }), 'ada@example.com')
    expect(await claimsOf(again, begun)).toMatchObject({ sub: ada.id })
  })

  test('shows the chooser again for an account that is not the one here, and for none at all', async () => {
    await signedIn()
    const { page, begun } = await ask({})
    for (const fields of [
      { account: eve.id },
      { account: '' },
      { account: 'ada' },
      {},
      { other: '' },
      { password: 'x' },
    ]) {
      const again = await browser.submit(page, fields)
      expect([again.status, step(again)]).toEqual([422, 'select-account'])
    }
    expect(await claimsOf(await browser.submit(page, { account: ada.id }), begun)).toMatchObject({ sub: ada.id })
  })

  test('is not passed by the resume address, nor by the forms of other steps', async () => {
    await signedIn()
    const { page } = await ask({})
    const uid = page.url.split('/').at(-1) ?? ''
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
    for (const other of ['password', 'consent', 'no-access']) {
      const answer = await browser.request(`${page.url}/${other}`, {
        method: 'POST',
        body: new URLSearchParams({ csrf, decision: 'allow', username: 'ada', password: 'x' }),
      })
      expect([answer.status, locationOf(answer).href]).toEqual([303, page.url])
    }
    await browser.submit(page, { other: 'yes' })
    const resumed = await browser.open(`${app.issuer}/authorize/${uid}`)
    expect(resumed.headers.get('location')).toBeNull()
    expect(['select-account', 'sign-in']).toContain(step(resumed))
  })

  test('asks for the password after the choice where prompt=login or max_age want it', async () => {
    await signedIn()
    for (const more of [{ prompt: 'select_account login' }, { prompt: 'login select_account' }, { max_age: '0' }]) {
      const { page, begun } = await ask(more)
      expect(step(page)).toBe('select-account')
      const password = await browser.submit(page, { account: ada.id })
      expect(step(password)).toBe('sign-in')
      expect(password.body).toMatch(/name="username"[^>]*value="ada"[\s\S]*readonly/)
      expect(await claimsOf(await signIn(browser, password), begun)).toMatchObject({ sub: ada.id })
    }
  })

  test('asks for one password only where another account is chosen under prompt=login', async () => {
    await signedIn()
    const { page, begun } = await ask({ prompt: 'select_account login' })
    const password = await browser.submit(page, { other: 'yes' })
    expect(await claimsOf(await signIn(browser, password, 'eve'), begun)).toMatchObject({ sub: eve.id })
  })

  test('asks for consent after the choice where prompt=consent wants it', async () => {
    await signedIn()
    const { page, begun } = await ask({ prompt: 'select_account consent' })
    const consent = await browser.submit(page, { account: ada.id })
    expect(step(consent)).toBe('consent')
    expect(await claimsOf(await browser.submit(consent, { decision: 'allow' }), begun)).toMatchObject({ sub: ada.id })
  })

  test('goes through chooser, password and consent where all are wanted', async () => {
    await signedIn()
    const { page, begun } = await ask({ prompt: 'consent login select_account' })
    const password = await browser.submit(page, { account: ada.id })
    const consent = await signIn(browser, password)
    expect(step(consent)).toBe('consent')
    expect(await claimsOf(await browser.submit(consent, { decision: 'allow' }), begun)).toMatchObject({ sub: ada.id })
  })

  test('asks the newcomer for their own consent', async () => {
    await signedIn()
    await app.services.consents.forget(eve.id, registered.client.id)
    const { page, begun } = await ask({})
    const consent = await signIn(browser, await browser.submit(page, { other: 'yes' }), 'eve')
    expect(step(consent)).toBe('consent')
    expect(consent.body).toContain('eve@example.com')
    expect(await claimsOf(await browser.submit(consent, { decision: 'allow' }), begun)).toMatchObject({ sub: eve.id })
  })

  test('gives no choice of somebody who was disabled meanwhile', async () => {
    const sam = await createPerson(app.services, { email: `sam@example.com`, username: 'sam', given_name: 'Sam' })
    await signIn(browser, await browser.open(authorizeUrl(app, registered)), 'sam')
    await app.services.accounts.disable(sam.id)
    const { page, begun } = await ask({})
    expect(step(page)).toBe('sign-in')
    expect(await claimsOf(await signIn(browser, page), begun)).toMatchObject({ sub: ada.id })
  })

  test('refuses none beside select_account, and answers prompt=none as before', async () => {
    const none = locationOf(await browser.open((await rp.begin({ prompt: 'none' })).url))
    expect(none.searchParams.get('error')).toBe('login_required')
    await signedIn()
    const refused = locationOf(await browser.open((await rp.begin({ prompt: 'none select_account' })).url))
    expect(refused.searchParams.get('error')).toBe('invalid_request')
    const silent = await rp.begin({ prompt: 'none' })
    expect(await claimsOf(await browser.open(silent.url), silent)).toMatchObject({ sub: ada.id })
  })

  test('takes the request by PAR as well', async () => {
    await signedIn()
    const verifier = oidc.randomPKCECodeVerifier()
    const url = await oidc.buildAuthorizationUrlWithPAR(rp.config, {
      redirect_uri: 'http://localhost:9/callback',
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      prompt: 'select_account',
    })
    const page = await browser.open(url.href)
    expect(step(page)).toBe('select-account')
    const callback = locationOf(await browser.submit(page, { account: ada.id }))
    const tokens = await oidc.authorizationCodeGrant(rp.config, callback, { pkceCodeVerifier: verifier })
    expect(tokens.claims()).toMatchObject({ sub: ada.id })
  })

  test('has ended in a tab where somebody else signed in meanwhile', async () => {
    await signedIn()
    const { page } = await ask({})
    const other = await browser.open((await rp.begin({ prompt: 'login' })).url)
    await signIn(browser, other, 'eve')
    const late = await browser.submit(page, { account: ada.id })
    expect(late.headers.get('location')).toBeNull()
    expect([late.status, errorOf(late)]).toEqual([
      400,
      expect.stringMatching(/expired|invalid_request|session_not_found/),
    ])
  })

  test('is told of in discovery', () => {
    expect(rp.config.serverMetadata()['prompt_values_supported']).toEqual([
      'none',
      'select_account',
      'login',
      'consent',
    ])
  })
})
