// What a relying party learns of a person: by scope, by the claims parameter, in the ID token and at userinfo.
import { createHash } from 'node:crypto'
import * as oidc from 'openid-client'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createClient,
  createPerson,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, claimsIn, post, redeem, codeFor, tokensFor, userinfo, VERIFIER } from '../support/protocol.ts'

const ADDRESS = { street_address: '12 St James Square', locality: 'London', postal_code: 'SW1Y 4JH', country: 'UK' }
const OF_SCOPE: [string, Record<string, unknown>][] = [
  [
    'profile',
    {
      name: 'Ada Byron',
      given_name: 'Ada',
      family_name: 'Byron',
      preferred_username: 'ada',
      locale: 'en-GB',
      zoneinfo: 'Europe/London',
      updated_at: expect.any(Number),
    },
  ],
  ['email', { email: 'ada@example.com', email_verified: true }],
  ['phone', { phone_number: '+441632960000', phone_number_verified: true }],
  ['address', { address: ADDRESS }],
  ['groups', { groups: ['mathematics', 'readers'] }],
]

describe.each(databases)('claims on $name', (database) => {
  let app: TestApp
  let full: RegisteredClient
  let strict: RegisteredClient
  let sub: string

  beforeAll(async () => {
    app = await startApp(database)
    for (const group of ['readers', 'mathematics']) await app.services.groups.create(group)
    const person = await createPerson(app.services, {
      groups: ['readers', 'mathematics'],
      locale: 'en_gb',
      zoneinfo: 'Europe/London',
      phone_number: '+44 1632 960000',
      phone_number_verified: true,
      address: ADDRESS,
    })
    sub = person.id
    full = await createClient(app.services, { first_party: true })
    strict = await createClient(app.services, { first_party: true, id_token_claims: 'strict' })
  })
  afterAll(() => app.close())

  test.each(OF_SCOPE)('gives for the scope %s its claims and no other', async (scope, expected) => {
    const tokens = await tokensFor(app, full, { scope: `openid ${scope}` })
    expect((await userinfo(app, tokens.accessToken)).json).toEqual({ sub, ...expected })
    expect(claimsIn(tokens.idToken)).toMatchObject(expected)
    const others = OF_SCOPE.filter(([other]) => other !== scope).flatMap(([, claims]) => Object.keys(claims))
    for (const claim of others) expect(claimsIn(tokens.idToken)).not.toHaveProperty(claim)

    const strictly = await tokensFor(app, strict, { scope: `openid ${scope}` })
    expect((await userinfo(app, strictly.accessToken)).json).toEqual({ sub, ...expected })
    for (const claim of Object.keys(expected)) expect(claimsIn(strictly.idToken)).not.toHaveProperty(claim)
    expect(claimsIn(strictly.idToken)).toMatchObject({
      sub,
      amr: ['pwd'],
      auth_time: expect.any(Number),
      nonce: 'a-nonce',
    })
  })

  test('puts into every ID token who, when, for whom, and what it goes with', async () => {
    const before = Math.floor(Date.now() / 1_000)
    const { idToken, accessToken } = await tokensFor(app, full, { scope: 'openid' })
    const keys = createRemoteJWKSet(new URL(`${app.issuer}/.well-known/jwks.json`))
    const { payload, protectedHeader } = await jwtVerify(idToken, keys, {
      issuer: app.issuer,
      audience: full.client.id,
    })
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: expect.any(String) })
    expect(payload).toMatchObject({ sub, nonce: 'a-nonce', amr: ['pwd'] })
    // optional in the code flow (OpenID Connect Core 1.0 §3.1.3.6); there, it has to be right
    const hash = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
    expect(payload['at_hash']).toBeOneOf([undefined, hash])
    expect(Number(payload['auth_time'])).toBeGreaterThanOrEqual(before)
    expect(Number(payload.exp) - Number(payload.iat)).toBe(app.config.tokens.idSeconds)
  })

  test('keeps auth_time through single sign-on, and renews it when the person signs in again', async () => {
    const browser = browserSession(app.issuer)
    const first = claimsIn((await tokensFor(app, full, {}, browser)).idToken)['auth_time']
    expect(claimsIn((await tokensFor(app, full, { prompt: 'none' }, browser)).idToken)['auth_time']).toBe(first)
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    expect(
      Number(claimsIn((await tokensFor(app, full, { prompt: 'login' }, browser)).idToken)['auth_time']),
    ).toBeGreaterThan(Number(first))
  })

  test('makes a name of given and family name, or none', async () => {
    await createPerson(app.services, {
      email: 'sole@example.com',
      username: 'sole',
      given_name: 'Sole',
      family_name: undefined,
    })
    await createPerson(app.services, {
      email: 'none@example.com',
      username: 'none',
      given_name: undefined,
      family_name: undefined,
    })
    for (const [username, name] of [
      ['sole', 'Sole'],
      ['none', undefined],
    ] as const) {
      const browser = browserSession(app.issuer)
      const page = await browser.open(authorizeUrl(app, full, { scope: 'openid profile' }))
      const callback = await browser.submit(page, { username, password: 'a long walk by the sea' })
      const code = new URL(callback.headers.get('location') ?? '').searchParams.get('code') ?? ''
      const { json } = await redeem(app, full, code)
      expect(claimsIn(String(json['id_token']))['name']).toBe(name)
    }
  })

  test('gives what the claims parameter names, in the place that it names', async () => {
    const claims = JSON.stringify({
      id_token: { email: null, phone_number: { essential: true } },
      userinfo: { address: null, nickname: null },
    })
    const { idToken, accessToken } = await tokensFor(app, strict, { scope: 'openid', claims })
    expect(claimsIn(idToken)).toMatchObject({ email: 'ada@example.com', phone_number: '+441632960000' })
    expect(claimsIn(idToken)).not.toHaveProperty('address')
    expect((await userinfo(app, accessToken)).json).toEqual({ sub, address: ADDRESS })
  })

  test('asks a person before it gives claims that were named one by one', async () => {
    const web = await createClient(app.services)
    const browser = browserSession(app.issuer)
    const page = await browser.open(
      authorizeUrl(app, web, { scope: 'openid', claims: JSON.stringify({ userinfo: { phone_number: null } }) }),
    )
    const consent = await browser.submit(page, { username: 'ada', password: 'a long walk by the sea' })
    expect(consent.body).toContain('phone number')
  })

  test.each(['ES256', 'EdDSA', 'RS256'])('signs ID tokens with %s for a client that wants it so', async (alg) => {
    const client = await createClient(app.services, {
      first_party: true,
      metadata: { id_token_signed_response_alg: alg },
    })
    const { idToken } = await tokensFor(app, client)
    const keys = createRemoteJWKSet(new URL(`${app.issuer}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(idToken, keys, {
      issuer: app.issuer,
      audience: client.client.id,
      algorithms: [alg],
    })
    expect(payload.sub).toBe(sub)
  })

  test('lets a client prove itself by client_secret_post, with openid-client too', async () => {
    const client = await createClient(app.services, {
      first_party: true,
      metadata: { token_endpoint_auth_method: 'client_secret_post' },
    })
    const code = await codeFor(app, client)
    const fields = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: VERIFIER }
    expect(
      (await post(`${app.issuer}/token`, { ...fields, client_id: client.client.id, client_secret: client.secret }))
        .status,
    ).toBe(200)
    const config = await oidc.discovery(
      new URL(app.issuer),
      client.client.id,
      {},
      oidc.ClientSecretBasic(client.secret),
      { execute: [oidc.allowInsecureRequests] },
    )
    await expect(oidc.tokenRevocation(config, 'unknown')).resolves.toBeUndefined()
  })

  test('signs a person in to a native app on whatever loopback port it listens', async () => {
    const native = await createClient(app.services, { type: 'native', redirect_uris: ['http://127.0.0.1/cb'] })
    for (const port of [50_001, 50_002]) {
      const { idToken } = await tokensFor(app, native, { redirect_uri: `http://127.0.0.1:${port}/cb` })
      expect(claimsIn(idToken)['sub']).toBe(sub)
    }
  })
})
