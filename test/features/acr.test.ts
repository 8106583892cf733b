// acr, amr and auth_time tell what was proven and when; what a relying party demands of them is met or refused.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { standingOf } from '#oidc/authentication.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorize, relyingParty, signIn, type RelyingParty } from '../support/relying-party.ts'

const ONE = 'urn:latchkey:acr:1fa'
const MULTI = 'urn:latchkey:acr:mfa'
const acrClaim = (acr: unknown) => ({ claims: JSON.stringify({ id_token: { acr } }) })

describe.each(databases)('acr, amr and auth_time on $name', (database) => {
  let app: TestApp
  let registered: RegisteredClient
  let rp: RelyingParty
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    await createPerson(app.services, { email: 'eve@example.com', username: 'eve' })
    registered = await createClient(app.services, { first_party: true })
    rp = await relyingParty(app.issuer, registered)
  })
  beforeEach(() => {
    browser = browserSession(app.issuer)
  })
  afterAll(() => app.close())

  /** Signs in if asked, and gives the claims of the ID token. */
  const claims = async (parameters: Record<string, string> = {}, as: RelyingParty = rp) => {
    const begun = await as.begin(parameters)
    return (await as.redeem(await authorize(browser, begun.url), begun)).claims()
  }
  const open = async (parameters: Record<string, string>, as: RelyingParty = rp) =>
    browser.open((await as.begin(parameters)).url)
  const errorIn = (page: Page) => locationOf(page).searchParams.get('error')
  const clientWith = async (metadata: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    relyingParty(app.issuer, await createClient(app.services, { first_party: true, metadata, ...more }))

  /** The protocol library reads the system's clock, so a sign-in only gets older by waiting. */
  const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

  test('stand in every ID token, those of strict clients and of refreshed ones included', async () => {
    const before = Math.floor(Date.now() / 1000)
    const first = await claims()
    expect(first).toMatchObject({ acr: ONE, amr: ['pwd'] })
    expect(first?.auth_time).toBeGreaterThanOrEqual(before)
    expect(await claims({}, await clientWith({}, { id_token_claims: 'strict' }))).toMatchObject({
      acr: ONE,
      amr: ['pwd'],
      auth_time: first?.auth_time,
    })

    const begun = await rp.begin({ scope: 'openid offline_access', prompt: 'consent' })
    const page = await browser.open(begun.url)
    const tokens = await rp.redeem(locationOf(await browser.submit(page, { decision: 'allow' })), begun)
    const refreshed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')
    expect(refreshed.claims()).toMatchObject({ acr: ONE, amr: ['pwd'], auth_time: first?.auth_time })
  })

  test('are told of in discovery as far as they can be met', () => {
    const metadata = rp.config.serverMetadata()
    expect(metadata.acr_values_supported).toEqual([ONE])
    expect(metadata.claims_supported).toEqual(expect.arrayContaining(['acr', 'amr', 'auth_time']))
  })

  test.each([
    ['one that is met', ONE, ONE],
    ['one that is met among others', `phr ${MULTI} ${ONE}`, ONE],
    ['one that is met nowhere', 'urn:example:gold', ONE],
    ['names that every object has', '__proto__ constructor', ONE],
    ['odd spaces', `  ${ONE} `, ONE],
  ])('acr_values with %s is a wish: one sign-in, and what is true', async (_, wished, stated) => {
    expect(await claims({ acr_values: wished })).toMatchObject({ acr: stated, amr: ['pwd'] })
    expect(await claims({ acr_values: wished, prompt: 'none' })).toMatchObject({ acr: stated })
  })

  test.each([
    ['null', null],
    ['a value that is met', { value: ONE }],
    ['values of which one is met', { essential: true, values: ['phr', ONE] }],
    ['an essential value that is met', { essential: true, value: ONE }],
    ['essential without a value', { essential: true }],
    ['a wish that cannot be met', { values: [MULTI] }],
  ])('the claims parameter with %s gives what is true', async (_, acr) => {
    expect(await claims(acrClaim(acr))).toMatchObject({ acr: ONE })
    expect(await claims({ ...acrClaim(acr), prompt: 'none' })).toMatchObject({ acr: ONE })
  })

  test.each([
    ['a class that nobody meets here', { essential: true, values: ['phr'] }],
    ['several that nobody meets here', { essential: true, values: [MULTI, 'phr', 'phrh'] }],
    ['a class that does not exist', { essential: true, value: 'urn:example:gold' }],
  ])('refuses %s as essential at once, signed in or not, and never shows the sign-in page for it', async (_, acr) => {
    const demand = acrClaim(acr)
    for (const prompt of ['none', 'login', 'select_account', 'consent'])
      expect(errorIn(await open({ ...demand, prompt }))).toBe('unmet_authentication_requirements')
    expect(errorIn(await open(demand))).toBe('unmet_authentication_requirements')
    await claims()
    for (const prompt of ['none', 'login', 'select_account', 'consent'])
      expect(errorIn(await open({ ...demand, prompt }))).toBe('unmet_authentication_requirements')
    expect(await claims({ prompt: 'none' })).toMatchObject({ acr: ONE })
  })

  test('refuses an essential class also where acr_values or defaults of the client ask for less', async () => {
    const demand = acrClaim({ essential: true, values: ['phr'] })
    await claims()
    expect(errorIn(await open({ ...demand, acr_values: ONE }))).toBe('unmet_authentication_requirements')
    const modest = await clientWith({ default_acr_values: [ONE] })
    expect(errorIn(await open(demand, modest))).toBe('unmet_authentication_requirements')
    expect(await claims({}, modest)).toMatchObject({ acr: ONE })
  })

  test.each([
    ['what is no object', 'yes'],
    ['values that are no list', { essential: true, values: ONE }],
    ['values that are no strings', { essential: true, values: [1] }],
    ['a value that is no string', { essential: true, value: [ONE] }],
    ['an essential that is neither true nor false', { essential: 'true', values: ['phr'] }],
  ])('refuses %s', async (_, acr) => {
    await claims()
    expect(errorIn(await open(acrClaim(acr)))).toBe('invalid_request')
  })

  test('registers no client with default_acr_values that nobody can meet', async () => {
    await expect(clientWith({ default_acr_values: ['phr'] })).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('max_age asks again once the sign-in is older, and the new auth_time says so', async () => {
    const first = await claims()
    expect(await claims({ max_age: '1000', prompt: 'none' })).toMatchObject({ auth_time: first?.auth_time })
    await wait(2.1)
    expect(errorIn(await open({ max_age: '1', prompt: 'none' }))).toBe('login_required')
    const page = await open({ max_age: '1' })
    expect(page.body).toContain('id="sign-in"')
    const second = await claims({ max_age: '1' })
    expect(second?.auth_time).toBeGreaterThan(first?.auth_time ?? Infinity)
    expect(await claims({ prompt: 'none' })).toMatchObject({ auth_time: second?.auth_time })
  })

  test('max_age=0 and prompt=login always ask, and give a fresh auth_time', async () => {
    let last = (await claims())?.auth_time ?? Infinity
    for (const parameters of [{ max_age: '0' }, { prompt: 'login' }, { max_age: '0', prompt: 'login' }]) {
      await wait(1.1)
      expect((await open(parameters)).body).toContain('id="sign-in"')
      const fresh = (await claims(parameters))?.auth_time ?? 0
      expect(fresh).toBeGreaterThan(last)
      last = fresh
    }
    expect(errorIn(await open({ max_age: '0', prompt: 'none' }))).toBe('login_required')
  })

  test.each(['-1', '1.5', 'soon', '1e400'])('refuses max_age=%s', async (value) => {
    await claims()
    expect(errorIn(await open({ max_age: value }))).toBe('invalid_request')
  })

  test('default_max_age and require_auth_time of a client hold', async () => {
    const hasty = await clientWith({ default_max_age: 1 })
    const first = await claims({}, hasty)
    await wait(2.1)
    expect((await open({}, hasty)).body).toContain('id="sign-in"')
    expect(errorIn(await open({ prompt: 'none' }, hasty))).toBe('login_required')
    expect(await claims({ max_age: '1000', prompt: 'none' }, hasty)).toMatchObject({ auth_time: first?.auth_time })
    const exact = await clientWith({ require_auth_time: true }, { id_token_claims: 'strict' })
    expect(await claims({}, exact)).toMatchObject({ auth_time: first?.auth_time })
  })

  test('a wrong password on the way makes nothing fresher', async () => {
    const first = await claims()
    await wait(1.1)
    await signIn(browser, await open({ prompt: 'login' }), 'ada', 'not the password')
    expect(await claims({ prompt: 'none' })).toMatchObject({ auth_time: first?.auth_time })
  })

  test('a request for one person by the claims parameter is refused after another one signed in', async () => {
    const ada = await app.services.accounts.get('ada')
    const named = { claims: JSON.stringify({ id_token: { sub: { value: ada.id } } }) }
    const wrong = await signIn(browser, await open(named), 'eve')
    expect(errorIn(wrong)).toBe('login_required')
    const right = await signIn(browser, await open(named), 'ada')
    expect(locationOf(right).searchParams.get('code')).toBeTruthy()
  })
})

describe('a sign-in that was there before it was asked for', () => {
  const essential = (value: string) => acrClaim({ essential: true, value })

  test.each([
    ['is enough where nothing is demanded', {}, 50, 'enough'],
    ['is enough while it is young enough', { max_age: '60' }, 50, 'enough'],
    ['is asked for again once it is too old', { max_age: '59' }, 50, 'prove'],
    ['is asked for again where one is demanded for the request', { prompt: 'login' }, 99, 'prove'],
    ['is enough where it was for the request', { prompt: 'login' }, 100, 'enough'],
    ['is enough for a class that it meets', essential(ONE), 50, 'enough'],
    ['is never enough for an essential class that it does not meet', essential('phr'), 50, 'unmet'],
    ['is enough for a class that is only wished for', { acr_values: 'phr' }, 50, 'enough'],
  ])('%s', (_what, params, at, expected) => {
    expect(standingOf({ params, madeAt: 100 }, { amr: ['pwd'], at }, 110)).toBe(expected)
  })
})
