// The profile fapi2: what a client in order gets, and what becomes of one that comes under the profile. The refusals of
// requests stand in fapi2-refusals.test.ts, those of registrations in test/core/fapi2.test.ts.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type TestApp } from '../support/app.ts'
import { createAssertingClient, newKeyPair } from '../support/assertion.ts'
import { browserSession, hiddenFields, type BrowserSession } from '../support/browser-session.ts'
import { selfSigned } from '../support/client-certificates.ts'
import { databases } from '../support/databases.ts'
import { FAPI2_CALLBACK, fapi2Client, type Fapi2Client } from '../support/fapi2.ts'
import {
  authorizeUrl,
  claimsIn,
  expectNothingGiven,
  post,
  query,
  send,
  tokensFor,
  userinfo,
  VERIFIER,
} from '../support/protocol.ts'
import { authorize } from '../support/relying-party.ts'

describe.each(databases)('the profile fapi2 on $name', (database) => {
  let app: TestApp
  let bank: Fapi2Client
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database, {
      settings: { CLIENT_CERT_HEADER: 'X-Client-Cert', TRUSTED_PROXIES: '127.0.0.1,::1' },
    })
    await createPerson(app.services)
    bank = await fapi2Client(app)
    browser = browserSession(app.issuer)
  })
  afterAll(() => app.close())

  test('openid-client: pushed, DPoP, private_key_jwt, and the answer signed', async () => {
    const { client, keys } = await fapi2Client(app, {
      authorization_signed_response_alg: 'PS256',
      id_token_signed_response_alg: 'PS256',
    })
    await app.refreshKeys()
    const metadata = { id_token_signed_response_alg: 'PS256', authorization_signed_response_alg: 'PS256' }
    const authentication = oidc.PrivateKeyJwt({ key: keys.privateKey, kid: String(keys.publicJwk.kid) })
    const config = await oidc.discovery(new URL(app.issuer), client.id, metadata, authentication, {
      execute: [oidc.allowInsecureRequests, oidc.useJwtResponseMode, oidc.enableNonRepudiationChecks],
    })
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
    const parameters = {
      redirect_uri: FAPI2_CALLBACK,
      scope: 'openid email',
      state: 's-1',
      code_challenge: await oidc.calculatePKCECodeChallenge(VERIFIER),
      code_challenge_method: 'S256',
    }
    const url = await oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
    expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
    const callback = await authorize(browser, url.href)
    expect([...callback.searchParams.keys()]).toEqual(['response'])
    const checks = { pkceCodeVerifier: VERIFIER, expectedState: 's-1' }
    const tokens = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP })
    expect(tokens.token_type).toBe('dpop')
    const sub = tokens.claims()?.sub ?? ''
    const told = await oidc.fetchUserInfo(config, tokens.access_token, sub, { DPoP })
    expect(told.email).toBe('ada@example.com')
  })

  test('a certificate instead: authentication and tokens by mutual TLS', async () => {
    const certificate = await selfSigned({ name: 'CN=bank' })
    const headers = { 'x-client-cert': encodeURIComponent(certificate.pem) }
    const { client } = await createClient(app.services, {
      profile: 'fapi2',
      first_party: true,
      redirect_uris: [FAPI2_CALLBACK],
      metadata: {
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        tls_client_certificate_bound_access_tokens: true,
        jwks: { keys: [certificate.jwk] },
      },
    })
    const asked = new URL(authorizeUrl(app, { client, secret: undefined }, { redirect_uri: FAPI2_CALLBACK }))
    const pushed = await post(`${app.issuer}/par`, Object.fromEntries(asked.searchParams), headers)
    const requestUri = String(pushed.json['request_uri'])
    const callback = await authorize(
      browser,
      `${app.issuer}/authorize?${query({ client_id: client.id, request_uri: requestUri })}`,
    )
    const { json } = await post(
      `${app.issuer}/token`,
      {
        grant_type: 'authorization_code',
        client_id: client.id,
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: FAPI2_CALLBACK,
        code_verifier: VERIFIER,
      },
      headers,
    )
    const authorization = `Bearer ${String(json['access_token'])}`
    expect((await send(`${app.issuer}/userinfo`, { headers: { ...headers, authorization } })).status).toBe(200)
    expect((await send(`${app.issuer}/userinfo`, { headers: { authorization } })).status).toBe(401)
  })

  test('a service: tokens that are bound to its key', async () => {
    const service = await fapi2Client(app, {}, { type: 'service', redirect_uris: [], first_party: false })
    const fields = { grant_type: 'client_credentials' }
    expect((await service.token({ fields })).json['token_type']).toBe('DPoP')
    expect((await service.token({ fields, proof: null })).status).toBe(400)
  })

  test('5.3.2.1 no. 9: a refresh token that stays the same, and bound tokens for it each time', async () => {
    const code = await bank.code(browser, { fields: { scope: 'openid offline_access', prompt: 'consent' } })
    const { json } = await bank.redeem(code)
    for (let use = 0; use < 3; use += 1) {
      const refreshed = await bank.refresh(json['refresh_token'])
      expect(refreshed.json).toMatchObject({ token_type: 'DPoP', refresh_token: json['refresh_token'] })
    }
  })

  test('5.3.2.2 no. 7 and 14: the issuer, a state of 2,000 and a nonce of 64 letters, or neither', async () => {
    const [state, nonce] = ['s'.repeat(2_000), 'n'.repeat(64)]
    const { json } = await bank.push({ fields: { state, nonce } })
    const callback = await authorize(browser, bank.url(json['request_uri']))
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({ state, iss: app.issuer })
    const tokens = await bank.redeem(callback.searchParams.get('code') ?? '')
    expect(claimsIn(String(tokens.json['id_token']))['nonce']).toBe(nonce)
    const bare = await bank.redeem(await bank.code(browser, { fields: { state: undefined, nonce: undefined } }))
    expect(claimsIn(String(bare.json['id_token']))).not.toHaveProperty('nonce')
  })

  test('5.3.2.2 no. 10 and 12: a request_uri for a minute, and 303 after a form', async () => {
    const own = await fapi2Client(app, {}, { first_party: false })
    const { json } = await own.push()
    expect(json['expires_in']).toBeOneOf([59, 60])
    const page = await browser.open(own.url(json['request_uri']))
    const action = /<form[^>]*\saction="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const sent = await browser.request(new URL(action, page.url).href, {
      method: 'POST',
      body: new URLSearchParams({ ...hiddenFields(page.body), decision: 'allow' }),
    })
    expect(sent.status).toBe(303)
  })

  test('5.3.2.2 note 3: a request_uri that was opened twice before the sign-in ended', async () => {
    const { json } = await bank.push()
    await browserSession(app.issuer).open(bank.url(json['request_uri']))
    const callback = await authorize(browserSession(app.issuer), bank.url(json['request_uri']))
    expect(callback.searchParams.get('code')).toBeTruthy()
  })

  test('introspection as a signed JWT (Message Signing 5.5)', async () => {
    const { json } = await bank.redeem(await bank.code(browser))
    const jwt = await post(
      `${app.issuer}/introspect`,
      {
        token: String(json['access_token']),
        client_assertion: await bank.assertion({}),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
      { accept: 'application/token-introspection+jwt' },
    )
    expect(JSON.parse(Buffer.from(jwt.body.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      alg: 'ES256',
    })
    expect(claimsIn(jwt.body)).toMatchObject({
      token_introspection: { active: true, cnf: { jkt: expect.any(String) } },
    })
  })

  test('a client that registers how answers are signed is refused one that is not', async () => {
    const { push } = await fapi2Client(app, { authorization_signed_response_alg: 'ES256' })
    expect((await push()).json).toMatchObject({ error: 'invalid_request' })
    expect((await push({ fields: { response_mode: 'jwt' } })).status).toBe(201)
  })

  test('what was given to a client before it came under the profile ends', async () => {
    const keys = await newKeyPair()
    const web = await createClient(app.services, { first_party: true, redirect_uris: [FAPI2_CALLBACK] })
    const { accessToken } = await tokensFor(app, web, { redirect_uri: FAPI2_CALLBACK }, browser)
    expect((await userinfo(app, accessToken)).status).toBe(200)
    const change = { profile: 'fapi2', metadata: { jwks: { keys: [keys.publicJwk] } } }
    expect(await app.services.clients.update(web.client.id, change)).toMatchObject({ secret: undefined })
    expect((await userinfo(app, accessToken)).status).toBe(401)
  })

  test('a row that says less than the profile is not believed', async () => {
    const loose = await createAssertingClient(app, await newKeyPair(), undefined, {
      first_party: true,
      redirect_uris: [FAPI2_CALLBACK],
    })
    const row = app.services.database.db.updateTable('clients').where('id', '=', loose.client.id)
    await row.set({ profile: 'fapi2', require_pkce: 0 }).execute()
    const asked = Object.fromEntries(new URL(authorizeUrl(app, loose, { redirect_uri: FAPI2_CALLBACK })).searchParams)
    const push = async (fields: Record<string, string>, aud: unknown = app.issuer) =>
      post(`${app.issuer}/par`, {
        ...fields,
        client_assertion: await loose.assertion({ aud }),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      })
    const { code_challenge: _, code_challenge_method: __, ...without } = asked
    expect((await push(asked)).status).toBe(201)
    expect((await push(without)).json).toMatchObject({ error: 'invalid_request' })
    expect((await push(asked, `${app.issuer}/par`)).json).toMatchObject({ error: 'invalid_client' })
    const page = await browser.request(authorizeUrl(app, loose, { redirect_uri: FAPI2_CALLBACK }))
    expectNothingGiven(page, { signedIn: true })
  })
})
