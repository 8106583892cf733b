// The pages where a person answers a backchannel authentication request, and what they refuse.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OWN_CLIENT_ID } from '#core/clients/own-client.ts'
import { createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import {
  answer,
  asked,
  createPollingClient,
  openApprovals,
  openRequest,
  pollFor,
  waitingIn,
} from '../support/backchannel.ts'
import { browserSession, errorOf, hiddenFields, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { challengeOf, post, query, VERIFIER } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe('the pages of approvals', () => {
  let app: TestApp
  let till: RegisteredClient
  let ada: BrowserSession

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'), { path: '/id' })
    await createPerson(app.services)
    till = await createPollingClient(app, {
      name: 'Till <b>&',
      metadata: { client_uri: 'https://till.example/about', logo_uri: 'https://till.example/logo.png' },
    })
    ada = browserSession(app.issuer)
    await openApprovals(app, ada)
  })
  afterAll(() => app.close())

  test('list what waits, and show who asks, for what, in which words and when', async () => {
    const id = await asked(app, till, { binding_message: '"><i>Order</i> & 4711' })
    const list = await openApprovals(app, ada)
    expect(waitingIn(list)).toEqual(['Till &lt;b&gt;&amp;'])
    const page = await openRequest(app, ada, id)
    for (const words of [
      'Till &lt;b&gt;&amp;</bdi> of <bdi>till.example',
      '&#34;&gt;&lt;i&gt;Order&lt;/i&gt; &amp; 4711',
      'See your e-mail address',
      'just now',
      'Ada Byron (ada@example.com)',
      'https://till.example/logo.png',
    ])
      expect(page.body).toContain(words)
    expect(page.body).not.toMatch(/<script|<i>Order/)
    expect([page.headers.get('cache-control'), list.headers.get('cache-control')]).toEqual(['no-store', 'no-store'])
    const done = await ada.submit(page, { decision: 'approve' })
    expect(done.url).toBe(page.url)
    expect(done.body).toContain('href="/id/approvals"')
    await pollFor(app, till, id)
    expect((await ada.open(page.url)).body).toContain('You approved this request')
  })

  test('take no answer but from their own form, in the same browser', async () => {
    const id = await asked(app, till)
    const page = await openRequest(app, ada, id)
    const send = (browser: BrowserSession, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      browser.request(page.url, { method: 'POST', body: new URLSearchParams(fields), headers })
    const form = hiddenFields(page.body)
    const other = browserSession(app.issuer)
    const attempts = [
      await send(ada, { decision: 'approve' }),
      await send(ada, { ...form, csrf: 'guessed', decision: 'approve' }),
      await send(ada, { ...form, decision: 'perhaps' }),
      await send(ada, { ...form, decision: 'approve' }, { origin: 'https://evil.example' }),
      await send(ada, { ...form, decision: 'approve' }, { 'sec-fetch-site': 'cross-site' }),
      await send(other, { ...form, decision: 'approve' }),
    ]
    await openApprovals(app, other)
    attempts.push(await send(other, { ...form, decision: 'approve' })) // the same person, another session
    for (const refused of attempts) expect([refused.status, errorOf(refused)]).toEqual([403, 'forbidden'])
    const read = await ada.open(`${page.url}?decision=approve&${query(form)}`)
    expect(read.body).toContain('id="approval"')
    expect((await pollFor(app, till, id)).json['error']).toBe('authorization_pending')
    await ada.submit(page, { decision: 'deny' })
  })

  test('say the same of a request that never was, and one of a client that is gone', async () => {
    const gone = await createPollingClient(app, { name: 'Gone' })
    const page = await openRequest(app, ada, await asked(app, gone))
    await app.services.clients.disable(gone.client.id)
    for (const missing of [
      await ada.open(page.url),
      await ada.submit(page, { decision: 'approve' }),
      await ada.open(`${app.issuer}/approvals/made-up`),
    ])
      expect([missing.status, errorOf(missing)]).toEqual([404, 'not_found'])
    expect((await ada.open(page.url.replace('/approvals/', '/APPROVALS/'))).status).toBe(404)
  })

  test('are closed to whom the client was closed to meanwhile', async () => {
    const club = await createPollingClient(app, { name: 'Club' })
    const id = await asked(app, club)
    const page = await openRequest(app, ada, id)
    await app.services.clients.update(club.client.id, { assignment: 'groups' })
    expect((await ada.submit(page, { decision: 'approve' })).status).toBe(404)
    expect((await pollFor(app, club, id)).json['error']).toBe('authorization_pending')
  })

  test('lead through the sign-in of every app, and back without its answer in the address', async () => {
    const browser = browserSession(app.issuer)
    const page = await browser.open(`${app.issuer}/approvals`)
    expect(page.body).toContain('to continue to <bdi class="name">Latchkey</bdi>')
    const back = await openApprovals(app, browser)
    expect([back.status, back.url]).toEqual([200, `${app.issuer}/approvals`])
    expect(back.body).toContain('Nothing waits for your approval')
  })

  test('say calmly that nobody signed in, and do not go round in circles', async () => {
    const browser = browserSession(app.issuer)
    const cancelled = await browser.submit(await browser.open(`${app.issuer}/approvals`), { cancel: 'yes' })
    expect([cancelled.status, errorOf(cancelled)]).toEqual([403, 'forbidden'])
    const cookieless = await browserSession(app.issuer).open(`${app.issuer}/approvals?code=x`)
    expect([cookieless.status, errorOf(cookieless)]).toEqual([403, 'forbidden'])
    const odd = await ada.open(`${app.issuer}/approvals?code=x&state=${encodeURIComponent('//evil.example')}`)
    expect([odd.status, odd.url]).toEqual([200, `${app.issuer}/approvals`])
  })

  test('come by a client that nobody else can use', async () => {
    const browser = browserSession(app.issuer)
    const begun = await browser.request(`${app.issuer}/approvals`)
    const address = locationOf(begun)
    expect(address.searchParams.get('client_id')).toBe(OWN_CLIENT_ID)
    address.searchParams.set('redirect_uri', 'https://evil.example/')
    const stolen = await browser.open(address.href)
    expect([stolen.status, errorOf(stolen)]).toEqual([400, 'invalid_redirect_uri'])

    const code = await codeOf(app, ada)
    const redeemed = await post(`${app.issuer}/token`, {
      grant_type: 'authorization_code',
      client_id: OWN_CLIENT_ID,
      redirect_uri: `${app.issuer}/approvals`,
      code,
      code_verifier: VERIFIER,
    })
    expect([redeemed.status, redeemed.json['error']]).toEqual([401, 'invalid_client'])
    expect((await app.services.clients.list({ limit: 200 })).items.map(({ id }) => id)).not.toContain(OWN_CLIENT_ID)
    await expect(app.services.clients.disable(OWN_CLIENT_ID)).rejects.toMatchObject({ code: 'not_found' })
    await expect(app.services.clients.remove(OWN_CLIENT_ID)).rejects.toMatchObject({ code: 'not_found' })
  })

  test('remember no consent to the server itself, however it is asked for', async () => {
    const browser = browserSession(app.issuer)
    const address = locationOf(await browser.request(`${app.issuer}/approvals`))
    address.searchParams.set('prompt', 'consent')
    const page = await signIn(browser, await browser.open(address.href))
    expect((await browser.submit(page, { decision: 'allow' })).body).toContain('Requests for you')
  })

  test('tell the answer that was given, whatever is asked afterwards', async () => {
    const id = await asked(app, till)
    const denied = await answer(app, ada, id, 'deny')
    expect(denied.body).toContain('You did not approve this request')
    expect((await ada.open(denied.url)).body).toBe(denied.body)
  })
})

/** The code that comes back to the server itself, for a browser that is signed in, to a challenge that we can answer. */
async function codeOf(app: TestApp, browser: BrowserSession): Promise<string> {
  const begun = await browserSession(app.issuer).request(`${app.issuer}/approvals`)
  const address = locationOf(begun)
  address.searchParams.set('code_challenge', challengeOf(VERIFIER))
  const answered = await browser.request(address.href)
  return locationOf(answered).searchParams.get('code') ?? expect.fail('no code came back')
}
