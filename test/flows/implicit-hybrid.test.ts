// Answers through the browser: implicit and hybrid flows (OpenID Connect Core 1.0 §3.2, §3.3), for the clients that are
// registered for them and nobody else.
import { createHash } from 'node:crypto'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FRONT_CHANNEL_RESPONSE_TYPES } from '#core/clients/response-flows.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  basic,
  claimsIn,
  expectNothingGiven,
  post,
  redeem,
  tokensFor,
  userinfo,
} from '../support/protocol.ts'
import { authorize, signIn } from '../support/relying-party.ts'

const CALLBACK = 'https://rp.example/callback'
const ALL = { metadata: { response_types: ['code', ...FRONT_CHANNEL_RESPONSE_TYPES] } }

describe('answers through the browser', () => {
  let app: TestApp
  let browser: BrowserSession
  let ada: string

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    ada = (await createPerson(app.services)).id
    browser = browserSession(app.issuer)
    await tokensFor(app, await createClient(app.services, { first_party: true }), {}, browser)
  })
  afterAll(() => app.close())

  const register = (more: Readonly<Record<string, unknown>> = ALL) =>
    createClient(app.services, { redirect_uris: [CALLBACK], first_party: true, ...more })
  const ask = (client: RegisteredClient, changes: Readonly<Record<string, string | undefined>>) =>
    authorizeUrl(app, client, { redirect_uri: CALLBACK, ...changes })
  const answer = async (client: RegisteredClient, changes: Readonly<Record<string, string | undefined>>) => {
    const url = await authorize(browser, ask(client, changes))
    expect(url.search).toBe('')
    return Object.fromEntries(new URLSearchParams(url.hash.slice(1)))
  }
  const discovered = ({ client, secret }: RegisteredClient) =>
    oidc.discovery(new URL(app.issuer), client.id, secret, undefined, {
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    })

  test.each(FRONT_CHANNEL_RESPONSE_TYPES)('%s gives exactly what it names, in the fragment', async (responseType) => {
    const client = await register()
    const given = await answer(client, { response_type: responseType })
    const words = responseType.split(' ')
    expect(given['state']).toBe('a-state')
    // an ID token names the issuer itself (RFC 9207 §2)
    expect(given['iss']).toBe(words.includes('id_token') ? undefined : app.issuer)
    expect(Object.keys(given).toSorted()).toEqual(
      [
        'state',
        ...(words.includes('code') ? ['code'] : []),
        ...(words.includes('id_token') ? ['id_token'] : ['iss']),
        ...(words.includes('token') ? ['access_token', 'expires_in', 'scope', 'token_type'] : []),
      ].toSorted(),
    )
    if (given['access_token'] !== undefined)
      expect((await userinfo(app, given['access_token'])).json).toMatchObject({ sub: ada, email: 'ada@example.com' })
    if (given['id_token'] !== undefined) {
      const claims = claimsIn(given['id_token'])
      expect(claims).toMatchObject({ iss: app.issuer, aud: client.client.id, sub: ada, nonce: 'a-nonce' })
      expect([claims['c_hash'], claims['at_hash']]).toEqual([hashOf(given['code']), hashOf(given['access_token'])])
    }
    if (given['code'] !== undefined) {
      const redeemed = await redeem(app, client, given['code'], { redirect_uri: CALLBACK })
      expect(redeemed.status, redeemed.body).toBe(200)
      expect(claimsIn(String(redeemed.json['id_token']))).toMatchObject({ sub: ada, nonce: 'a-nonce' })
    }
  })

  test.each([
    ['RS512', 'sha512'],
    ['ES384', 'sha384'],
    ['HS256', 'sha256'],
    ['EdDSA', 'sha512'],
  ])('hashes as %s of the ID token does', async (alg, hash) => {
    const client = await register({ metadata: { ...ALL.metadata, id_token_signed_response_alg: alg } })
    const given = await answer(client, { response_type: 'token id_token code' })
    expect(claimsIn(given['id_token'] ?? '')).toMatchObject({
      c_hash: hashOf(given['code'], hash),
      at_hash: hashOf(given['access_token'], hash),
    })
  })

  test('sign a person in with openid-client, hybrid', async () => {
    const client = await register({ metadata: { response_types: ['code id_token'] } })
    const config = await discovered(client)
    oidc.useCodeIdTokenResponseType(config)
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid email',
      nonce: 'n-1',
      state: 's-1',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    const tokens = await oidc.authorizationCodeGrant(config, await authorize(browser, url.href), {
      pkceCodeVerifier,
      expectedNonce: 'n-1',
      expectedState: 's-1',
    })
    expect(tokens.claims()).toMatchObject({ sub: ada, email: 'ada@example.com' })
  })

  test('sign a person in with openid-client, implicit', async () => {
    const client = await register({ metadata: { response_types: ['id_token'] } })
    expect(client.client.metadata).toMatchObject({ grant_types: ['implicit'] })
    const config = await discovered(client)
    oidc.useIdTokenResponseType(config)
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid email',
      nonce: 'n-2',
      state: 's-2',
    })
    const claims = await oidc.implicitAuthentication(config, await authorize(browser, url.href), 'n-2', {
      expectedState: 's-2',
    })
    expect(claims).toMatchObject({ sub: ada, email: 'ada@example.com' })
  })

  test('a strict client finds the claims in the ID token only where there is no access token to ask with', async () => {
    const client = await register({ ...ALL, id_token_claims: 'strict', claims: [{ claim: 'tenant', value: 'north' }] })
    const alone = await answer(client, { response_type: 'id_token' })
    expect(claimsIn(alone['id_token'] ?? '')).toMatchObject({ email: 'ada@example.com', tenant: 'north' })
    for (const response_type of ['id_token token', 'code id_token']) {
      const claims = claimsIn((await answer(client, { response_type }))['id_token'] ?? '')
      expect(claims['sub']).toBe(ada)
      expect(claims).not.toHaveProperty('email')
      expect(claims).not.toHaveProperty('tenant')
    }
  })

  test('form_post is a page of the library whose script our policy knows by its hash', async () => {
    const client = await register()
    const page = await browser.open(ask(client, { response_type: 'code id_token', response_mode: 'form_post' }))
    expect(page.status).toBe(200)
    const script = /<script[^>]*>([\s\S]*?)<\/script>/.exec(page.body)?.[1] ?? expect.fail('no script')
    const hash = createHash('sha256').update(script).digest('base64')
    expect(page.headers.get('content-security-policy')).toMatch(
      new RegExp(`script-src[^;]* 'sha256-${hash.replaceAll(/[+/]/g, '\\$&')}'`),
    )
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(page.headers.get('cache-control')).toContain('no-store')
    expect(Object.keys(hiddenFields(page.body)).toSorted()).toEqual(['code', 'id_token', 'state'])
  })

  test('response_mode=query is refused where tokens would stand in it', async () => {
    const client = await register()
    for (const response_type of FRONT_CHANNEL_RESPONSE_TYPES) {
      const page = await browser.open(ask(client, { response_type, response_mode: 'query' }))
      expectNothingGiven(page, { signedIn: true })
      expect(page.headers.get('location') ?? page.body).toContain('invalid_request')
    }
  })

  test('a nonce is needed where an ID token comes through the browser', async () => {
    const client = await register()
    expect((await answer(client, { response_type: 'id_token', nonce: undefined }))['error']).toBe('invalid_request')
  })

  test('A8 a client gets the answers it registered, and no other, pushed or not', async () => {
    const client = await register({ metadata: { response_types: ['code', 'code id_token'] } })
    expect(await answer(client, { response_type: 'id_token code' })).toHaveProperty('id_token')
    for (const response_type of ['id_token', 'id_token token', 'code token', 'code id_token token']) {
      const given = await answer(client, { response_type })
      expect(given).toEqual({
        error: 'unauthorized_client',
        error_description: expect.any(String),
        iss: app.issuer,
        state: 'a-state',
      })
      const pushed = await post(
        `${app.issuer}/par`,
        Object.fromEntries(new URL(ask(client, { response_type })).searchParams),
        basic(client),
      )
      expect([pushed.status, pushed.json['error']]).toEqual([400, 'unauthorized_client'])
    }
  })

  test('A8 a sign-in that comes back gives what it was begun for, and only while the client has it', async () => {
    const client = await register({ metadata: { response_types: ['code', 'code id_token'] } })
    const other = browserSession(app.issuer)
    const page = await other.open(ask(client, { response_type: 'code id_token' }))
    await app.services.clients.update(client.client.id, { metadata: { response_types: ['code'] } })
    const refused = locationOf(await signIn(other, page))
    expect(refused.hash).toContain('error=unauthorized_client')
    expect(refused.hash).not.toMatch(/code=|id_token=/)

    const third = browserSession(app.issuer)
    const begun = await third.open(ask(client, {}))
    const action = /<form[^>]*action="([^"]*)"/.exec(begun.body)?.[1] ?? ''
    const smuggled = begun.body.replace(action, `${action}?response_type=id_token&response_mode=fragment`)
    const callback = locationOf(await signIn(third, { ...begun, body: smuggled }))
    expect([callback.hash, callback.searchParams.has('code')]).toEqual(['', true])
  })

  test.each([
    ['spa', { type: 'spa' }, 'response_types'],
    ['native', { type: 'native' }, 'response_types'],
    ['service', { type: 'service', redirect_uris: [] }, 'response_types'],
  ])('refuses them to a client of type %s', async (_, more, field) => {
    await expect(register({ ...more, metadata: { response_types: ['id_token'] } })).rejects.toMatchObject({
      code: 'invalid_input',
      fields: { [field]: expect.any(String) },
    })
  })

  test('refuses tokens over http, grants that do not fit, and an access token for nobody in particular', async () => {
    const refused = (more: Readonly<Record<string, unknown>>) =>
      expect(register(more)).rejects.toMatchObject({ code: 'invalid_input' })
    await refused({ ...ALL, redirect_uris: ['http://localhost:9/callback'] })
    await refused({ metadata: { response_types: ['code id_token'], grant_types: ['authorization_code'] } })
    await refused({ metadata: { response_types: ['code'], grant_types: ['authorization_code', 'implicit'] } })
    await refused({ metadata: { grant_types: ['implicit'] } })
    await refused({ metadata: { response_types: ['token'] } })
    await refused({ metadata: { response_types: [] } })
  })
})

function hashOf(value: string | undefined, algorithm = 'sha256'): string | undefined {
  if (value === undefined) return undefined
  const digest = createHash(algorithm).update(value).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
