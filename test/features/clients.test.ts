// What an administrator decided about a client, as people and relying parties meet it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, codeFor, redeem, tokensFor } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe.each(databases)('clients on $name', (database) => {
  let app: TestApp

  beforeAll(async () => {
    app = await startApp(database)
    await app.services.groups.create('readers')
    await createPerson(app.services, { groups: ['readers'] })
    await createPerson(app.services, { email: 'eve@example.com', username: 'eve' })
  })
  afterAll(() => app.close())

  test('show a page to somebody they are not assigned to, with two ways out', async () => {
    const client = await createClient(app.services, { name: 'Members only', assignment: 'groups', groups: ['readers'] })
    const browser = browserSession(app.issuer)
    const page = await signIn(browser, await browser.open(authorizeUrl(app, client)), 'eve')
    expect([page.status, errorOf(page)]).toEqual([403, 'access_denied'])
    expect(page.body).toContain('Members only')
    const callback = locationOf(await browser.submit(page, { decision: 'return' }))
    expect(callback.searchParams.get('error')).toBe('access_denied')

    const again = await browser.open(authorizeUrl(app, client))
    const form = await browser.submit(again, { decision: 'switch' })
    expect(form.body).toContain('id="sign-in"')
    const consent = await signIn(browser, form, 'ada')
    expect(locationOf(await browser.submit(consent, { decision: 'allow' })).searchParams.get('code')).toBeTruthy()
    const none = locationOf(await browserSession(app.issuer).open(authorizeUrl(app, client, { prompt: 'none' })))
    expect(none.searchParams.get('error')).toBe('login_required')
  })

  test('are open at once to whoever joins the group', async () => {
    await app.services.groups.create('writers')
    const client = await createClient(app.services, { assignment: 'groups', groups: ['writers'], first_party: true })
    const browser = browserSession(app.issuer)
    expect((await signIn(browser, await browser.open(authorizeUrl(app, client)), 'eve')).status).toBe(403)
    await app.services.groups.addMember('writers', 'eve')
    expect(locationOf(await browser.open(authorizeUrl(app, client))).searchParams.get('code')).toBeTruthy()
  })

  test('ask nothing where they are first-party, and everything again where that ends', async () => {
    const client = await createClient(app.services, { first_party: true })
    const browser = browserSession(app.issuer)
    const page = await signIn(browser, await browser.open(authorizeUrl(app, client, { scope: 'openid email groups' })))
    expect(locationOf(page).searchParams.get('code')).toBeTruthy()
    await app.services.clients.update(client.client.id, { first_party: false })
    const fresh = browserSession(app.issuer)
    expect((await signIn(fresh, await fresh.open(authorizeUrl(app, client)))).body).toContain('id="consent"')
  })

  test('are unknown while they are disabled, and back when they are enabled', async () => {
    const client = await createClient(app.services, { first_party: true })
    await tokensFor(app, client)
    await app.services.clients.disable(client.client.id)
    const page = await browserSession(app.issuer).open(authorizeUrl(app, client))
    expect([page.status, errorOf(page)]).toEqual([400, 'invalid_client'])
    await app.services.clients.enable(client.client.id)
    await tokensFor(app, client)
  })

  test('are changed under a running server: a redirect URI more, PKCE demanded, scopes fewer', async () => {
    const client = await createClient(app.services, { first_party: true })
    const { id } = client.client
    const second = { redirect_uri: 'https://rp.example/second' }
    expect((await browserSession(app.issuer).open(authorizeUrl(app, client, second))).status).toBe(400)
    await app.services.clients.update(id, {
      redirect_uris: ['http://localhost:9/callback', 'https://rp.example/second'],
    })
    expect((await browserSession(app.issuer).open(authorizeUrl(app, client, second))).body).toContain('id="sign-in"')
    const bare = { code_challenge: undefined, code_challenge_method: undefined }
    expect((await redeem(app, client, await codeFor(app, client, bare), { code_verifier: undefined })).status).toBe(200)
    await app.services.clients.update(id, { require_pkce: true })
    const refused = locationOf(await browserSession(app.issuer).open(authorizeUrl(app, client, bare)))
    expect(refused.searchParams.get('error')).toBe('invalid_request')
    await app.services.clients.update(id, { scope: 'openid' })
    const scope = locationOf(await browserSession(app.issuer).open(authorizeUrl(app, client)))
    expect(scope.searchParams.get('error')).toBe('invalid_scope')
  })

  test('are forgotten with the consents that were given them', async () => {
    const client = await createClient(app.services)
    const ada = await app.services.accounts.get('ada')
    await codeFor(app, client)
    expect(await app.services.consents.find(ada.id, client.client.id)).toBeDefined()
    await app.services.clients.remove(client.client.id)
    expect(await app.services.consents.find(ada.id, client.client.id)).toBeUndefined()
  })
})
