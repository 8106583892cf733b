// Answers as signed JWTs: userinfo (OpenID Connect Core 1.0 §5.3.2), introspection (RFC 9701), and the answer of the
// authorization endpoint (JARM), with every algorithm that a client may choose.
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FRONT_CHANNEL_RESPONSE_TYPES } from '#core/clients/response-flows.ts'
import { TOKEN_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, basic, post, redeem, send, tokensFor, userinfo } from '../support/protocol.ts'
import { authorize } from '../support/relying-party.ts'

const CALLBACK = 'https://rp.example/callback'
const INTROSPECTION_JWT = 'application/token-introspection+jwt'

describe('signed answers', () => {
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

  const discovery = async () => (await send(`${app.issuer}/.well-known/openid-configuration`)).json
  const register = (metadata: Readonly<Record<string, unknown>>) =>
    createClient(app.services, { redirect_uris: [CALLBACK], first_party: true, metadata })
  const signedBy = async (
    jwt: string,
    { client, secret }: RegisteredClient,
    { alg, typ }: { readonly alg: string; readonly typ?: string },
  ): Promise<JWTPayload> => {
    const expected = {
      issuer: app.issuer,
      audience: client.id,
      algorithms: [alg],
      ...(typ === undefined ? {} : { typ }),
    }
    if (alg.startsWith('HS')) return (await jwtVerify(jwt, Buffer.from(secret ?? ''), expected)).payload
    // boundary: what the server publishes; jose judges it
    const jwks = (await send(`${app.issuer}/.well-known/jwks.json`)).json as unknown as JSONWebKeySet
    return (await jwtVerify(jwt, createLocalJWKSet(jwks), expected)).payload
  }

  test.each(TOKEN_ALGORITHMS)('%s signs all three for a client that was just registered for it', async (alg) => {
    const client = await register({
      userinfo_signed_response_alg: alg,
      introspection_signed_response_alg: alg,
      authorization_signed_response_alg: alg,
    })
    const url = await authorize(
      browser,
      authorizeUrl(app, client, { redirect_uri: CALLBACK, scope: 'openid email', response_mode: 'jwt' }),
    )
    expect([...url.searchParams.keys()]).toEqual(['response'])
    const answer = await signedBy(url.searchParams.get('response') ?? '', client, { alg })
    expect(answer).toMatchObject({ state: 'a-state', code: expect.any(String), exp: expect.any(Number) })

    const { json } = await redeem(app, client, String(answer['code']), { redirect_uri: CALLBACK })
    const told = await userinfo(app, String(json['access_token']))
    expect(told.headers.get('content-type')).toContain('application/jwt')
    expect(await signedBy(told.body, client, { alg })).toMatchObject({ sub: ada, email: 'ada@example.com' })

    const introspected = await post(
      `${app.issuer}/introspect`,
      { token: String(json['access_token']) },
      { ...basic(client), accept: INTROSPECTION_JWT },
    )
    expect(introspected.headers.get('content-type')).toContain(INTROSPECTION_JWT)
    expect(await signedBy(introspected.body, client, { alg, typ: 'token-introspection+jwt' })).toMatchObject({
      token_introspection: { active: true, sub: ada, client_id: client.client.id },
    })
  })

  test('discovery names what each of them can be signed with, and nothing unsigned', async () => {
    const document = await discovery()
    for (const what of ['userinfo', 'introspection', 'authorization']) {
      const named = document[`${what}_signing_alg_values_supported`]
      expect(new Set(named as string[])).toEqual(new Set(TOKEN_ALGORITHMS))
    }
  })

  test('openid-client signs in with all three', async () => {
    const client = await register({
      userinfo_signed_response_alg: 'ES256',
      introspection_signed_response_alg: 'ES256',
      authorization_signed_response_alg: 'PS256',
    })
    const metadata = { client_secret: String(client.secret), ...client.client.metadata }
    const config = await oidc.discovery(new URL(app.issuer), client.client.id, metadata, undefined, {
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks, oidc.useJwtResponseMode],
    })
    const url = oidc.buildAuthorizationUrl(config, { redirect_uri: CALLBACK, scope: 'openid email', state: 's-1' })
    const callback = await authorize(browser, url.href)
    const tokens = await oidc.authorizationCodeGrant(config, callback, { expectedState: 's-1' })
    expect(await oidc.fetchUserInfo(config, tokens.access_token, ada)).toMatchObject({ email: 'ada@example.com' })
    expect(await oidc.tokenIntrospection(config, tokens.access_token)).toMatchObject({ active: true, sub: ada })
  })

  test.each([
    ['code', 'query.jwt', 'search'],
    ['code', 'fragment.jwt', 'hash'],
    ['code', 'jwt', 'search'],
    ['code id_token', 'jwt', 'hash'],
    ['id_token token', 'fragment.jwt', 'hash'],
  ] as const)('%s in %s comes in the %s of the address, and nothing beside it', async (response_type, mode, part) => {
    const client = await register({ response_types: ['code', ...FRONT_CHANNEL_RESPONSE_TYPES] })
    const changes = { redirect_uri: CALLBACK, response_type, response_mode: mode }
    const url = await authorize(browser, authorizeUrl(app, client, changes))
    const given = new URLSearchParams(url[part].slice(1))
    expect([...given.keys(), url[part === 'hash' ? 'search' : 'hash']]).toEqual(['response', ''])
    const answer = await signedBy(given.get('response') ?? '', client, { alg: 'RS256' })
    for (const word of response_type.split(' ')) expect(answer).toHaveProperty(word === 'token' ? 'access_token' : word)
  })

  test('form_post.jwt posts the one signed answer', async () => {
    const client = await register({})
    const page = await browser.open(
      authorizeUrl(app, client, { redirect_uri: CALLBACK, response_mode: 'form_post.jwt' }),
    )
    expect(page.headers.get('content-security-policy')).toMatch(/script-src[^;]* 'sha256-/)
    const fields = hiddenFields(page.body)
    expect(Object.keys(fields)).toEqual(['response'])
    expect(await signedBy(fields['response'] ?? '', client, { alg: 'RS256' })).toHaveProperty('code')
  })

  test('query.jwt is refused where tokens would stand in it', async () => {
    const client = await register({ response_types: ['code id_token'] })
    const changes = { redirect_uri: CALLBACK, response_type: 'code id_token', response_mode: 'query.jwt' }
    const url = await authorize(browser, authorizeUrl(app, client, changes))
    const answer = await signedBy(url.searchParams.get('response') ?? '', client, { alg: 'RS256' })
    expect(answer).toMatchObject({ error: 'invalid_request' })
    expect(answer).not.toHaveProperty('id_token')
  })

  test('an error comes signed, too, and nothing is added to it or beside it', async () => {
    const client = await register({})
    const changes = { redirect_uri: CALLBACK, response_mode: 'jwt', prompt: 'none' }
    const url = await authorize(browserSession(app.issuer), authorizeUrl(app, client, changes))
    expect([...url.searchParams.keys()]).toEqual(['response'])
    const answer = await signedBy(url.searchParams.get('response') ?? '', client, { alg: 'RS256' })
    expect(answer).toMatchObject({ error: 'login_required', state: 'a-state' })
    expect(answer['error_description']).not.toContain('error id')
  })

  test('userinfo and introspection stay JSON for those who asked for nothing else', async () => {
    const client = await register({})
    const { accessToken } = await tokensFor(app, client, { redirect_uri: CALLBACK }, browser)
    expect((await userinfo(app, accessToken)).json).toMatchObject({ sub: ada })
    expect((await post(`${app.issuer}/introspect`, { token: accessToken }, basic(client))).json).toMatchObject({
      sub: ada,
    })
  })

  test('a token that is not for the client is told of as little in a JWT', async () => {
    const [client, other] = [await register({}), await register({ introspection_signed_response_alg: 'ES256' })]
    const { accessToken } = await tokensFor(app, client, { redirect_uri: CALLBACK }, browser)
    const headers = { ...basic(other), accept: INTROSPECTION_JWT }
    const { body } = await post(`${app.issuer}/introspect`, { token: accessToken }, headers)
    const { token_introspection: told } = await signedBy(body, other, { alg: 'ES256' })
    expect(told).toEqual({ active: false })
  })

  test('refuses a shared secret to a client that cannot keep one', async () => {
    for (const member of ['userinfo', 'introspection', 'authorization']) {
      const metadata = { [`${member}_signed_response_alg`]: 'HS256' }
      await expect(createClient(app.services, { type: 'spa', metadata })).rejects.toMatchObject({
        code: 'invalid_input',
        fields: { [`${member}_signed_response_alg`]: expect.stringContaining('none') },
      })
    }
  })
})
