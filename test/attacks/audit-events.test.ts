// What people and clients do that is allowed, in the audit: once, before it is answered, and not what machines repeat.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditEntry } from '#core/audit/event.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, basic, post, query, refresh, token, tokensFor } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe.each(databases)('on $name, the audit', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let accountId: string

  beforeAll(async () => {
    app = await startApp(database)
    accountId = (await createPerson(app.services)).id
    web = await createClient(app.services)
  })
  afterAll(() => app.close())

  const entries = async (): Promise<readonly AuditEntry[]> => {
    await app.services.audit.flush()
    return (await app.services.auditTrail.list({ limit: 500 })).items
  }

  test('has a sign-in, a consent and a new family of tokens, in their order', async () => {
    await tokensFor(app, web)
    expect(
      (await entries()).slice(0, 3).map(({ type, account_id, client_id }) => [type, account_id, client_id]),
    ).toEqual([
      ['token_family.started', accountId, web.client.id],
      ['consent.granted', accountId, web.client.id],
      ['sign_in.succeeded', accountId, web.client.id],
    ])
  })

  test('has what a person decided, and what the application was told', async () => {
    const browser = browserSession(app.issuer)
    const consent = await signIn(browser, await browser.open(authorizeUrl(app, web, { prompt: 'consent' })))
    const denied = await browser.submit(consent, { decision: 'deny' })
    expect(locationOf(denied).searchParams.get('error')).toBe('access_denied')
    const [last, before] = await entries()
    expect([before?.type, last?.type]).toEqual(['consent.denied', 'authorization.refused'])
    expect(last?.account_id).toBe(before?.account_id)
  })

  test('has the family that a client ends, and the sign-out of a person, and nothing of a refresh or of a service', async () => {
    const browser = browserSession(app.issuer)
    const { refreshToken, idToken } = await tokensFor(
      app,
      web,
      { scope: 'openid offline_access', prompt: 'consent' },
      browser,
    )
    const service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    const before = new Set((await entries()).map(({ id }) => id))
    expect((await refresh(app, web, refreshToken)).status).toBe(200)
    expect((await token(app, service, { grant_type: 'client_credentials' })).status).toBe(200)
    expect((await entries()).filter(({ id }) => !before.has(id))).toEqual([])
    await post(`${app.issuer}/revoke`, { token: refreshToken }, basic(web))
    await browser.submit(await browser.open(`${app.issuer}/logout?${query({ id_token_hint: idToken })}`), {
      logout: 'yes',
    })
    const after = (await entries()).filter(({ id }) => !before.has(id))
    expect(after.map(({ type, client_id }) => [type, client_id]).toSorted()).toEqual([
      ['logout.succeeded', web.client.id],
      ['token_family.revoked', web.client.id],
    ])
    for (const entry of after) expect(entry.account_id).toEqual(expect.any(String))
  })

  test('carries no id where form_post or JARM answers', async () => {
    const stranger = browserSession(app.issuer)
    const page = await stranger.open(authorizeUrl(app, web, { prompt: 'none', response_mode: 'form_post' }))
    expect(page.body).toContain('login_required')
    expect(page.body).not.toContain('error id')
    const fragment = await stranger.open(authorizeUrl(app, web, { prompt: 'none', response_mode: 'fragment' }))
    expect(fragment.headers.get('location')).toMatch(/#.*error_description=[^&]*%28error\+id%3A\+\w{12}%29/)
  })
})
