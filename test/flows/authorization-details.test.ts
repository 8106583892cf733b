// Rich authorization requests (RFC 9396): what was allowed, word by word, is in the token for its API, and nothing else is.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf, type BrowserSession, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  basic,
  claimsIn,
  codeFor,
  expectNothingGiven,
  post,
  query,
  redeem,
  refresh,
  send,
  token,
  tokensFor,
} from '../support/protocol.ts'
import { authorize } from '../support/relying-party.ts'

const PAYMENTS = 'https://pay.example'
const TAXES = 'https://tax.example'
const STATEMENTS = 'https://statements.example'
const PAYMENT = {
  type: 'payment',
  actions: ['initiate'],
  amount: { currency: 'EUR', value: '123.50' },
  creditor: 'Merchant <b>A</b>',
}
const SECOND = { ...PAYMENT, amount: { currency: 'EUR', value: '7.00' } }
const asked = (details: unknown, resource = PAYMENTS) => ({
  scope: 'openid offline_access',
  prompt: 'consent',
  resource,
  authorization_details: JSON.stringify(details),
})

describe.each(databases)('authorization details on $name', (database) => {
  let app: TestApp
  let shop: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    const payment = { type: 'payment', title: 'Make a payment', members: ['actions', 'amount', 'creditor'] }
    const statement = { type: 'statement', title: 'Read a statement', members: ['identifier'] }
    const { apis } = app.services
    await apis.create({ identifier: PAYMENTS, name: 'Your bank', authorization_details_types: [payment] })
    await apis.create({ identifier: TAXES, name: 'Taxes', authorization_details_types: [payment] })
    await apis.create({
      identifier: STATEMENTS,
      name: 'Statements',
      format: 'opaque',
      authorization_details_types: [statement],
    })
    const metadata = { authorization_details_types: ['payment', 'statement'] }
    shop = await createClient(app.services, { first_party: true, metadata })
    await apis.update(STATEMENTS, { introspection_clients: [shop.client.id] })
    await app.refreshKeys()
    browser = browserSession(app.issuer)
    await tokensFor(app, shop, { scope: 'openid' }, browser)
  })
  afterAll(() => app.close())

  const open = (changes: Readonly<Record<string, string | undefined>>) => browser.open(authorizeUrl(app, shop, changes))
  const refusalOf = (page: Page): string | undefined => {
    expectNothingGiven(page, { signedIn: true })
    return page.headers.get('location') === null
      ? errorOf(page)
      : (locationOf(page).searchParams.get('error') ?? undefined)
  }

  test('discovery names the types that some API has, from the moment it has them', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json['authorization_details_types_supported']).toEqual(['payment', 'statement'])
  })

  test('are shown whole, escaped, and asked for each time, of an application of our own too', async () => {
    for (let time = 0; time < 2; time += 1) {
      const page = await open({ ...asked([PAYMENT]), prompt: undefined })
      expect(page.body).toContain('id="consent"')
      for (const words of ['Make a payment', 'Your bank', 'amount.currency', 'EUR', '123.50', 'initiate'])
        expect(page.body).toContain(words)
      expect(page.body).toContain('Merchant &lt;b&gt;A&lt;/b&gt;')
      expect(locationOf(await browser.submit(page, { decision: 'allow' })).searchParams.get('code')).toBeTruthy()
    }
  })

  test('are in the answer and in the JWT for their API, as they were allowed', async () => {
    const code = await codeFor(app, shop, asked([PAYMENT, SECOND]), browser)
    const { json } = await redeem(app, shop, code, { resource: PAYMENTS })
    expect(json['authorization_details']).toEqual([PAYMENT, SECOND])
    const claims = claimsIn(String(json['access_token']))
    expect(claims).toMatchObject({ aud: PAYMENTS, authorization_details: [PAYMENT, SECOND] })
    const again = await refresh(app, shop, String(json['refresh_token']), { resource: PAYMENTS })
    expect(again.json['authorization_details']).toEqual([PAYMENT, SECOND])
  })

  test('are told at introspection, where the tokens are opaque', async () => {
    const detail = { type: 'statement', identifier: '2027-03' }
    const code = await codeFor(app, shop, asked([detail], STATEMENTS), browser)
    const { json } = await redeem(app, shop, code, { resource: STATEMENTS })
    const about = await post(`${app.issuer}/introspect`, { token: String(json['access_token']) }, basic(shop))
    expect(about.json).toMatchObject({ active: true, aud: STATEMENTS, authorization_details: [detail] })
  })

  test('are not in the token for userinfo, and not in what comes of the next request', async () => {
    const bare = await redeem(app, shop, await codeFor(app, shop, asked([PAYMENT]), browser))
    expect(bare.json).not.toHaveProperty('authorization_details')
    const next = await codeFor(app, shop, { ...asked([]), authorization_details: undefined }, browser)
    const { json } = await redeem(app, shop, next, { resource: PAYMENTS })
    expect(json).not.toHaveProperty('authorization_details')
    expect(claimsIn(String(json['access_token']))).not.toHaveProperty('authorization_details')
  })

  test('become fewer where the token request names some of them, and never others', async () => {
    const named = (details: unknown) => ({ resource: PAYMENTS, authorization_details: JSON.stringify(details) })
    const code = await codeFor(app, shop, asked([PAYMENT, SECOND]), browser)
    const { json } = await redeem(app, shop, code, named([SECOND]))
    expect(json['authorization_details']).toEqual([SECOND])
    const more = { ...PAYMENT, amount: { currency: 'EUR', value: '9999.00' } }
    const refused = await refresh(app, shop, String(json['refresh_token']), named([more]))
    expectNothingGiven(refused)
    expect(refused.json).toMatchObject({ error: 'invalid_authorization_details' })
    const kept = await refresh(app, shop, String(json['refresh_token']), named([PAYMENT]))
    expect(kept.json['authorization_details']).toEqual([PAYMENT])
  })

  test('can be pushed', async () => {
    const fields = new URL(authorizeUrl(app, shop, asked([PAYMENT]))).searchParams
    const { json } = await post(`${app.issuer}/par`, Object.fromEntries(fields), basic(shop))
    const url = `${app.issuer}/authorize?${query({ client_id: shop.client.id, request_uri: String(json['request_uri']) })}`
    const code = (await authorize(browser, url)).searchParams.get('code') ?? ''
    const answer = await redeem(app, shop, code, { resource: PAYMENTS })
    expect(answer.json['authorization_details']).toEqual([PAYMENT])
  })

  test.each<[string, unknown]>([
    ['of an unknown type', [{ type: 'root' }]],
    ['of a type that another API has', [{ type: 'statement', identifier: '1' }]],
    ['named like a method', [{ type: 'constructor' }]],
    ['without a type', [{ actions: ['initiate'] }]],
    ['with a member that the type does not have', [{ ...PAYMENT, debtor: 'me' }]],
    ['nested too deeply', [{ type: 'payment', amount: [[[[[[[[1]]]]]]]] }]],
    ['that turn the writing direction', [{ ...PAYMENT, creditor: 'A\u202eB' }]],
    ['that hide in control characters', [{ ...PAYMENT, creditor: 'A\nB' }]],
    ['longer than 8,192 characters', [{ ...PAYMENT, creditor: 'a'.repeat(8_200) }]],
    ['that are no list', PAYMENT],
  ])('are refused %s', async (_, details) => {
    expect(refusalOf(await open(asked(details)))).toBe('invalid_authorization_details')
  })

  test('are refused to a client that is not registered for the type', async () => {
    const other = await createClient(app.services, { first_party: true })
    const page = await browser.open(authorizeUrl(app, other, asked([PAYMENT])))
    expect(refusalOf(page)).toBe('invalid_authorization_details')
    const unknown = createClient(app.services, { metadata: { authorization_details_types: ['root'] } })
    await expect(unknown).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('are refused where it is open which API they are for, and without a question', async () => {
    const two = new URL(authorizeUrl(app, shop, asked([PAYMENT])))
    two.searchParams.append('resource', TAXES)
    expect(refusalOf(await browser.open(two.href))).toBe('invalid_authorization_details')
    expect(refusalOf(await open({ ...asked([PAYMENT]), resource: undefined }))).toMatch(/^invalid_/)
    expect(refusalOf(await open({ ...asked([PAYMENT]), prompt: 'none' }))).toMatch(/_required$/)
    const page = await open(asked([PAYMENT]))
    expect(refusalOf(await browser.submit(page, { decision: 'deny' }))).toBe('access_denied')
  })

  test('are refused to a service, and to a device', async () => {
    const metadata = { authorization_details_types: ['payment'] }
    const service = await createClient(app.services, { type: 'service', redirect_uris: [], metadata })
    const details = JSON.stringify([PAYMENT])
    const fields = { grant_type: 'client_credentials', resource: PAYMENTS, authorization_details: details }
    expect((await token(app, service, fields)).json).toMatchObject({ error: 'invalid_authorization_details' })
    const tv = await createClient(app.services, { type: 'native', redirect_uris: [], device_flow: true, metadata })
    const wish = { client_id: tv.client.id, scope: 'openid', resource: PAYMENTS, authorization_details: details }
    expect((await post(`${app.issuer}/device_authorization`, wish)).json).toMatchObject({
      error: 'invalid_authorization_details',
    })
  })

  test('go with the API that had the type, and the client goes on without', async () => {
    const fees = { type: 'fee', title: 'Pay a fee', members: [] }
    await app.services.apis.create({ identifier: 'https://fee.example', authorization_details_types: [fees] })
    await app.refreshKeys()
    const own = await createClient(app.services, {
      first_party: true,
      metadata: { authorization_details_types: ['fee'] },
    })
    const wish = asked([{ type: 'fee' }], 'https://fee.example')
    const { refreshToken } = await tokensFor(app, own, wish, browser)
    await app.services.apis.update('https://fee.example', { authorization_details_types: [] })
    await app.refreshKeys()
    expect(refusalOf(await browser.open(authorizeUrl(app, own, wish)))).toBe('invalid_authorization_details')
    const later = await refresh(app, own, refreshToken, { resource: 'https://fee.example' })
    expect([later.status, later.json['authorization_details']]).toEqual([200, undefined])
  })
})
