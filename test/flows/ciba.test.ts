// Backchannel authentication (CIBA Core 1.0): a client asks for a person, who answers on a page of ours.
import * as oidc from 'openid-client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { answer, asked, createPollingClient, openApprovals, openRequest, pollFor } from '../support/backchannel.ts'
import { browserSession, errorOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { claimsIn, expectNothingGiven, refresh, tokensIn, userinfo } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'

describe.each(databases)('backchannel authentication on $name', (database) => {
  let app: TestApp
  let till: RegisteredClient
  let ada: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    await app.services.accounts.create({ email: 'bob@example.com', username: 'bob' }, PASSWORD)
    till = await createPollingClient(app)
    ada = browserSession(app.issuer)
    await openApprovals(app, ada)
  })
  afterAll(() => app.close())
  afterEach(() => vi.useRealTimers())

  test('signs a person in with openid-client, from discovery to a refreshed token', async () => {
    const client = await createPollingClient(app, { name: 'Call centre' })
    const { config } = await relyingParty(app.issuer, client)
    const started = await oidc.initiateBackchannelAuthentication(config, {
      scope: 'openid email offline_access',
      login_hint: 'ada@example.com',
      binding_message: 'Order 4711',
    })
    expect(started).toMatchObject({ expires_in: 600, interval: 5 })
    const polling = oidc.pollBackchannelAuthenticationGrant(config, started)

    const page = await openRequest(app, ada, started.auth_req_id)
    expect(page.body).toContain('Order 4711')
    expect(page.body).toContain('Call centre')
    expect(page.body).toContain('See your e-mail address')
    expect(page.body).not.toContain(started.auth_req_id)
    const done = await ada.submit(page, { decision: 'approve' })
    expect([done.status, done.body]).toEqual([200, expect.stringContaining('You approved this request')])

    const tokens = await polling
    expect(tokens.claims()).toMatchObject({
      aud: client.client.id,
      email: 'ada@example.com',
      amr: ['pwd'],
      acr: 'urn:latchkey:acr:1fa',
    })
    expect((await userinfo(app, tokens.access_token)).json).toMatchObject({ email: 'ada@example.com' })
    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(renewed.access_token).not.toBe(tokens.access_token)
  }, 30_000)

  test('gives nothing before the answer, and what was approved to that client once', async () => {
    const other = await createPollingClient(app, { name: 'Another till' })
    const id = await asked(app, till)
    const early = await pollFor(app, till, id)
    expect([early.status, early.json['error']]).toEqual([400, 'authorization_pending'])
    await answer(app, ada, id)
    expect((await pollFor(app, other, id)).json['error']).toBe('invalid_grant')
    const { accessToken } = tokensIn(await pollFor(app, till, id))
    expect((await userinfo(app, accessToken)).status).toBe(200)
    expect((await pollFor(app, till, id)).json['error']).toBe('invalid_grant')
    expect((await userinfo(app, accessToken)).status).toBe(401)
    expect((await pollFor(app, till, 'made-up')).json['error']).toBe('invalid_grant')
  })

  test('tells a client that asks too often to slow down, and that a request has expired', async () => {
    const id = await asked(app, till, { requested_expiry: '60' })
    vi.useFakeTimers({ toFake: ['Date'] })
    const errorAfter = async (seconds: number) => {
      vi.setSystemTime(Date.now() + seconds * 1_000)
      return (await pollFor(app, till, id)).json['error']
    }
    expect(await errorAfter(0)).toBe('authorization_pending')
    expect(await errorAfter(2)).toBe('slow_down')
    expect(await errorAfter(10)).toBe('authorization_pending')
    const page = await openRequest(app, ada, id)
    expect(await errorAfter(60)).toBe('expired_token')
    const late = await ada.submit(page, { decision: 'approve' })
    expect([late.status, errorOf(late)]).toEqual([404, 'not_found'])
  })

  test('tells the client that the person said no, again and again', async () => {
    const id = await asked(app, till)
    const done = await answer(app, ada, id, 'deny')
    expect(done.body).toContain('You did not approve')
    const polled = await pollFor(app, till, id)
    expect([polled.status, polled.json['error']]).toEqual([400, 'access_denied'])
    expectNothingGiven(polled)
    expect((await pollFor(app, till, id)).json['error']).toBe('invalid_grant')
  })

  test('holds the first answer, whatever is sent afterwards or at the same moment', async () => {
    for (const [first, then, error] of [
      ['approve', 'deny', undefined],
      ['deny', 'approve', 'access_denied'],
      ['approve', 'approve', undefined],
    ] as const) {
      const id = await asked(app, till)
      const page = await openRequest(app, ada, id)
      const done = await ada.submit(page, { decision: first })
      const again = await ada.submit(page, { decision: then })
      expect([again.status, again.body]).toEqual([200, done.body])
      expect((await pollFor(app, till, id)).json['error']).toBe(error)
    }
    const id = await asked(app, till)
    const page = await openRequest(app, ada, id)
    const pages = await Promise.all(
      Array.from({ length: 10 }, (_, index) => ada.submit(page, { decision: index % 2 === 0 ? 'approve' : 'deny' })),
    )
    expect(new Set(pages.map(({ body }) => body)).size).toBe(1)
    const approved = pages[0]?.body.includes('You approved') === true
    expect((await pollFor(app, till, id)).status).toBe(approved ? 200 : 400)
  })

  test('shows a person their own requests only', async () => {
    const own = await openRequest(app, ada, await asked(app, till))
    const bob = browserSession(app.issuer)
    const list = await openApprovals(app, bob, 'bob')
    expect(list.body).toContain('Nothing waits for your approval')
    const foreign = await bob.open(own.url)
    expect([foreign.status, errorOf(foreign)]).toEqual([404, 'not_found'])
    await ada.submit(own, { decision: 'deny' })
  })

  test('asks for a fresh sign-in where the request demands one', async () => {
    for (const max_age of ['0', '30']) {
      const id = await asked(app, till, { max_age })
      vi.useFakeTimers({ toFake: ['Date'] })
      vi.setSystemTime(Date.now() + 40_000)
      const page = await openRequest(app, ada, id)
      expect(page.body).toContain('Confirm it’s you')
      const shown = await ada.submit(page, { username: 'ada', password: PASSWORD })
      expect(shown.body).toContain('id="approval"')
      await ada.submit(shown, { decision: 'approve' })
      const { idToken } = tokensIn(await pollFor(app, till, id))
      expect(claimsIn(idToken)['auth_time']).toBeGreaterThanOrEqual(Math.floor(Date.now() / 1_000) - 5)
      vi.useRealTimers()
      ada = browserSession(app.issuer)
      await openApprovals(app, ada)
    }
  })

  test('grants the APIs and claims that were asked for, no more, and remembers it as consent', async () => {
    await app.services.apis.create({ identifier: 'https://orders.example', name: 'Orders', scope: 'read write' })
    const web = await createClient(app.services, { name: 'Shop', ciba: 'poll' })
    const id = await asked(app, web, {
      scope: 'openid read',
      resource: 'https://orders.example',
      claims: '{"userinfo":{"given_name":null}}',
    })
    const page = await openRequest(app, ada, id)
    expect(page.body).toContain('Use “Orders” in your name')
    expect(page.body).toContain('Permissions there: read')
    expect(page.body).toContain('given name')
    await ada.submit(page, { decision: 'approve' })
    const polled = await pollFor(app, web, id, { resource: 'https://orders.example' })
    expect([polled.status, polled.json['scope']]).toEqual([200, 'read'])
    const person = await app.services.accounts.get('ada')
    expect(await app.services.consents.find(person.id, web.client.id)).toEqual({
      scopes: ['openid'],
      claims: ['given_name'],
      resources: { 'https://orders.example': ['read'] },
    })
  })

  test('ends what waits, and what it gave, when the person is signed out everywhere', async () => {
    const dora = await app.services.accounts.create({ email: 'dora@example.com', username: 'dora' }, PASSWORD)
    const browser = browserSession(app.issuer)
    const keeps = await createPollingClient(app, { name: 'Keeps', refresh_tokens: 'always' })
    const hint = { login_hint: 'dora' }
    const first = await asked(app, keeps, hint)
    await browser.submit(await openRequest(app, browser, first, 'dora'), { decision: 'approve' })
    const tokens = tokensIn(await pollFor(app, keeps, first))
    const second = await asked(app, keeps, hint)
    const page = await openRequest(app, browser, second, 'dora')
    await app.services.accounts.signOut(dora.id)
    expect((await pollFor(app, keeps, second)).json['error']).toBe('invalid_grant')
    const late = await browser.submit(page, { decision: 'approve' })
    expect([late.status, errorOf(late)]).toEqual([403, 'forbidden'])
    expect((await userinfo(app, tokens.accessToken)).status).toBe(401)
    expect((await refresh(app, keeps, tokens.refreshToken)).json['error']).toBe('invalid_grant')
  })
})
