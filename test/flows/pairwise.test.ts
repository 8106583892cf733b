// Pairwise subjects (OpenID Connect Core 1.0 §8): a person is somebody else to each host of applications, and the same
// to each of them for ever.
import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createSecrets } from '#core/secrets.ts'
import { createPairwiseSubjects } from '#core/subjects/pairwise-subjects.ts'
import { installationSecretStore } from '#core/subjects/store.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { logoutReceiver, type LogoutReceiver } from '../support/logout-receiver.ts'
import { authorizeUrl, basic, post, query, refresh, send, tokensFor, userinfo } from '../support/protocol.ts'
import { authorize, relyingParty, signIn } from '../support/relying-party.ts'

const [SHOP, SHOP_TOO] = ['https://shop.example/callback', 'https://shop.example/other']
const NEWS = 'https://news.example/callback'
const OUT = 'https://shop.example/out'

describe.each(databases)('pairwise subjects on $name', (database) => {
  let app: TestApp
  let browser: BrowserSession
  let ada: string
  let shop: RegisteredClient
  let receiver: LogoutReceiver

  beforeAll(async () => {
    receiver = await logoutReceiver()
    app = await startApp(database, { settings: { OUTBOUND_ALLOW: '127.0.0.1' } })
    ada = (await createPerson(app.services)).id
    await createPerson(app.services, { email: 'eve@example.com', username: 'eve' })
    browser = browserSession(app.issuer)
    shop = await register(SHOP, { post_logout_redirect_uris: [OUT] })
    await tokensAt(shop, SHOP)
  })
  afterAll(async () => {
    await app.close()
    await receiver.close()
  })

  const register = (uri: string, more: Readonly<Record<string, unknown>> = {}) =>
    createClient(app.services, {
      redirect_uris: [uri],
      first_party: true,
      metadata: { subject_type: 'pairwise' },
      ...more,
    })
  const tokensAt = (client: RegisteredClient, uri: string, changes: Readonly<Record<string, string>> = {}) =>
    tokensFor(app, client, { redirect_uri: uri, ...changes }, browser)
  const subjectAt = async (client: RegisteredClient, uri: string) =>
    decodeJwt((await tokensAt(client, uri)).idToken).sub

  test('are the same at one host, and others at another', async () => {
    const subject = await subjectAt(shop, SHOP)
    expect(subject).toMatch(/^[\w-]{43}$/)
    expect(await subjectAt(await register(SHOP_TOO), SHOP_TOO)).toBe(subject)
    const elsewhere = await subjectAt(await register(NEWS), NEWS)
    expect(elsewhere).not.toBe(subject)
    expect(await subjectAt(await createClient(app.services, { first_party: true, redirect_uris: [NEWS] }), NEWS)).toBe(
      ada,
    )
  })

  test('are what every answer names, and nothing else tells who it is', async () => {
    const api = 'https://api.example/orders'
    await app.services.apis.create({ identifier: api, scope: 'read', format: 'jwt' })
    const subject = await subjectAt(shop, SHOP)
    const tokens = await tokensAt(shop, SHOP, { scope: 'openid email offline_access', prompt: 'consent' })
    const told = await userinfo(app, tokens.accessToken)
    expect(told.json['sub']).toBe(subject)
    const introspected = await post(`${app.issuer}/introspect`, { token: tokens.accessToken }, basic(shop))
    expect(introspected.json['sub']).toBe(subject)
    const renewed = await refresh(app, shop, tokens.refreshToken)
    expect(decodeJwt(String(renewed.json['id_token'])).sub).toBe(subject)
    const forApi = await tokensAt(shop, SHOP, { scope: 'openid read', resource: api })
    const bound = await post(
      `${app.issuer}/introspect`,
      { token: forApi.accessToken, token_type_hint: 'access_token' },
      basic(shop),
    )
    for (const answer of [told.body, introspected.body, renewed.body, bound.body, tokens.idToken])
      expect(answer + Buffer.from(answer.split('.')[1] ?? '', 'base64url').toString()).not.toContain(ada)
  })

  test('are taken as the hint of a request and of a sign-out', async () => {
    const { idToken } = await tokensAt(shop, SHOP)
    const silent = { redirect_uri: SHOP, id_token_hint: idToken, prompt: 'none' }
    const callback = locationOf(await browser.open(authorizeUrl(app, shop, silent)))
    expect(callback.searchParams.get('code')).toBeTruthy()

    const signingIn = { redirect_uri: SHOP, id_token_hint: idToken }
    const fresh = browserSession(app.issuer)
    const same = await signIn(fresh, await fresh.open(authorizeUrl(app, shop, signingIn)))
    expect(locationOf(same).searchParams.get('code')).toBeTruthy()
    const other = browserSession(app.issuer)
    const refused = await signIn(other, await other.open(authorizeUrl(app, shop, signingIn)), 'eve')
    expect(locationOf(refused).searchParams.get('error')).toBe('login_required')

    const question = await fresh.open(
      `${app.issuer}/logout?${query({ id_token_hint: idToken, post_logout_redirect_uri: OUT })}`,
    )
    expect(locationOf(await fresh.submit(question, { logout: 'yes' })).href).toBe(OUT)
  })

  test('are what an application is told when the person signs out', async () => {
    const client = await register(SHOP, { backchannel_logout_uri: receiver.endpoint('shop') })
    const leaving = browserSession(app.issuer)
    const { idToken } = await tokensFor(app, client, { redirect_uri: SHOP }, leaving)
    await leaving.submit(await leaving.open(`${app.issuer}/logout`), { logout: 'yes' })
    await vi.waitFor(() => expect(receiver.tokens('shop')).toHaveLength(1), 20_000)
    expect(decodeJwt(receiver.tokens('shop')[0] ?? '').sub).toBe(decodeJwt(idToken).sub)
  })

  test('are what the claims parameter may ask for', async () => {
    const subject = await subjectAt(shop, SHOP)
    const asking = (value: unknown) => ({
      redirect_uri: SHOP,
      prompt: 'none',
      claims: JSON.stringify({ id_token: { sub: { value } } }),
    })
    const ask = async (value: unknown) =>
      locationOf(await browser.open(authorizeUrl(app, shop, asking(value)))).searchParams.get('error')
    expect([await ask(subject), await ask(ada)]).toEqual([null, 'login_required'])
  })

  test('sign a person in with openid-client', async () => {
    const rp = await relyingParty(app.issuer, shop)
    const begun = await rp.begin({ redirect_uri: SHOP })
    const tokens = await rp.redeem(await authorize(browser, begun.url), begun)
    const subject = tokens.claims()?.sub ?? ''
    expect(await oidc.fetchUserInfo(rp.config, tokens.access_token, subject)).toMatchObject({ sub: subject })
  })

  test('stay when the server starts again, and when the master key is replaced', async () => {
    const { clock } = app.services
    const before = await subjectAt(shop, SHOP)
    const store = installationSecretStore(app.services.database)
    const again = createPairwiseSubjects({ store, secrets: app.services.secrets, clock })
    expect(await again.subjectFor('shop.example', ada)).toBe(before)

    const [old, replacement] = [randomBytes(32), randomBytes(32)]
    await app.services.database.db.deleteFrom('installation_secrets').execute()
    const under = (...keys: Buffer[]) => createPairwiseSubjects({ store, secrets: createSecrets(keys), clock })
    const subject = await under(old).subjectFor('shop.example', ada)
    expect(await under(replacement, old).subjectFor('shop.example', ada)).toBe(subject)
    await expect(under(replacement).subjectFor('shop.example', ada)).rejects.toMatchObject({ code: 'configuration' })
  })

  test('hang on one key, however many processes need it first', async () => {
    const { database: open, clock, secrets } = app.services
    await open.db.deleteFrom('installation_secrets').execute()
    const store = installationSecretStore(open)
    const subjects = await Promise.all(
      Array.from({ length: 12 }, () => createPairwiseSubjects({ store, secrets, clock }).subjectFor('a.example', ada)),
    )
    expect(new Set(subjects).size).toBe(1)
    expect(await open.db.selectFrom('installation_secrets').selectAll().execute()).toHaveLength(1)
  })

  test.each([
    ['on two hosts', { redirect_uris: [SHOP, NEWS] }],
    ['that is a native app', { type: 'native', redirect_uris: ['com.example.app:/callback'] }],
    ['that is a service', { type: 'service', redirect_uris: [] }],
  ])('are refused to a client %s', async (_, more) => {
    await expect(register(SHOP, { metadata: { subject_type: 'pairwise' }, ...more })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })

  test('are announced', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json['subject_types_supported']).toEqual(['public', 'pairwise'])
  })
})
