// Requests that the client signed (JAR, RFC 9101): what is signed counts, and nothing else does.
import { createServer, type Server } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose'
import * as oidc from 'openid-client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SIGNING_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import {
  createClient,
  createPerson,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { browserSession, errorOf, locationOf, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { listening, stopped } from '../support/outbound.ts'
import { authorizeUrl, basic, bystander, expectNothingGiven, post, query, send } from '../support/protocol.ts'
import { authorize } from '../support/relying-party.ts'

interface Key {
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

describe('a signed request', () => {
  let app: TestApp
  let key: Key
  let client: RegisteredClient
  let keyServer: Server
  let keyAddress: string
  let published: readonly JWK[] = []
  let placed: string | undefined
  let fetched = 0
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    keyServer = createServer((_request, response) => {
      fetched += 1
      response.setHeader('content-type', 'application/json').end(placed ?? JSON.stringify({ keys: published }))
    })
    keyAddress = `http://127.0.0.1:${await listening(keyServer)}/keys`
    app = await startApp(databases[0] ?? expect.fail('no database'), { settings: { OUTBOUND_ALLOW: '127.0.0.1/32' } })
    await createPerson(app.services)
    key = await keyFor('ES256')
    client = await register({ jwks: { keys: [key.jwk] }, request_object_signing_alg: 'ES256' })
    stillWorks = await bystander(app)
  })
  afterEach(() => stillWorks())
  afterAll(async () => {
    await app.close()
    await stopped(keyServer)
  })

  const register = (metadata: Readonly<Record<string, unknown>>) =>
    createClient(app.services, { first_party: true, metadata })
  const parameters = (of: RegisteredClient) => Object.fromEntries(new URL(authorizeUrl(app, of)).searchParams)
  const signed = ({ alg, privateKey, jwk }: Key, changes: Readonly<Record<string, unknown>> = {}, of = client) =>
    new SignJWT({
      ...parameters(of),
      iss: of.client.id,
      aud: app.issuer,
      exp: Math.floor(Date.now() / 1000) + 60,
      ...changes,
    })
      .setProtectedHeader({ alg, typ: 'oauth-authz-req+jwt', ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
      .sign(privateKey)
  const urlWith = (request: string, of = client, beside: Readonly<Record<string, string>> = {}) =>
    `${app.issuer}/authorize?${query({ client_id: of.client.id, request, ...beside })}`
  const code = async (url: string) => (await authorize(browserSession(app.issuer), url)).searchParams.get('code')
  const refusal = (page: Page): string | undefined => {
    expectNothingGiven(page)
    if (page.headers.get('location') === null) return errorOf(page)
    return locationOf(page).searchParams.get('error') ?? undefined
  }
  const open = (url: string) => browserSession(app.issuer).request(url)

  test.each(SIGNING_ALGORITHMS)('by %s signs a person in', async (alg) => {
    const own = await keyFor(alg)
    const of = await register({ jwks: { keys: [own.jwk] }, request_object_signing_alg: alg })
    expect(await code(urlWith(await signed(own, {}, of), of))).toBeTruthy()
  })

  test.each(['HS256', 'HS384', 'HS512'])('by the secret and %s signs a person in', async (alg) => {
    const of = await register({ request_object_signing_alg: alg })
    const claims = { ...parameters(of), iss: of.client.id, aud: app.issuer }
    const request = await new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.from(of.secret ?? ''))
    expect(await code(urlWith(request, of))).toBeTruthy()
  })

  test('of openid-client signs a person in, and so does one that is pushed', async () => {
    const metadata = { client_secret: String(client.secret) }
    const config = await oidc.discovery(new URL(app.issuer), client.client.id, metadata, undefined, {
      execute: [oidc.allowInsecureRequests],
    })
    const asked = { redirect_uri: REDIRECT_URI, scope: 'openid email', state: 's-1' }
    const signingKey = { key: key.privateKey, kid: String(key.jwk.kid) }
    const url = await oidc.buildAuthorizationUrlWithJAR(config, asked, signingKey)
    expect(url.searchParams.has('redirect_uri')).toBe(false)
    const callback = await authorize(browserSession(app.issuer), url.href)
    const tokens = await oidc.authorizationCodeGrant(config, callback, { expectedState: 's-1' })
    expect(tokens.claims()).toMatchObject({ email: 'ada@example.com' })

    const pushed = await oidc.buildAuthorizationUrlWithPAR(config, url.searchParams)
    expect([...pushed.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
    expect(await code(pushed.href)).toBeTruthy()
  })

  test('is all that counts: what stands beside it in the query does not', async () => {
    const beside = { scope: 'openid groups', redirect_uri: 'https://evil.example/cb', state: 'other', max_age: '0' }
    const callback = await authorize(browserSession(app.issuer), urlWith(await signed(key), client, beside))
    expect([callback.origin, callback.searchParams.get('state')]).toEqual(['http://localhost:9', 'a-state'])
  })

  test('A12 is refused unsigned, signed by a stranger, or by a public key taken for a secret', async () => {
    const stranger = await keyFor('ES256')
    const claims = { ...parameters(client), iss: client.client.id, aud: app.issuer }
    const tampered = (await signed(key)).split('.')
    for (const request of [
      new UnsecuredJWT(claims).encode(),
      await signed(stranger),
      await signed({ ...stranger, jwk: { ...stranger.jwk, kid: String(key.jwk.kid) } }),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(JSON.stringify(key.jwk))),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(String(client.secret))),
      [tampered[0], Buffer.from(JSON.stringify(claims)).toString('base64url'), tampered[2]].join('.'),
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA',
    ]) {
      expect(refusal(await open(urlWith(request))), request).toBe('invalid_request_object')
      const pushed = await post(`${app.issuer}/par`, { request }, basic(client))
      expect([pushed.status, pushed.json['error']]).toEqual([400, 'invalid_request_object'])
    }
  })

  test.each([
    ['for another server', { aud: 'https://other.example' }],
    ['for nobody', { aud: undefined }],
    ['of another issuer', { iss: 'somebody' }],
    ['of nobody', { iss: undefined }],
    ['that has expired', { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['that is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 600 }],
    ['of another client', { client_id: 'another' }],
    ['with a request inside', { request: 'x' }],
    ['with a request_uri inside', { request_uri: 'https://evil.example/r' }],
  ])('A12 is refused %s', async (_, changes) => {
    const page = await open(urlWith(await signed(key, changes)))
    expect(refusal(page)).toBe('invalid_request_object')
  })

  test('A8 A1 is held to what the client registered', async () => {
    expect(refusal(await open(urlWith(await signed(key, { redirect_uri: 'https://evil.example/cb' }))))).toBe(
      'invalid_redirect_uri',
    )
    const page = await open(urlWith(await signed(key, { response_type: 'code id_token' })))
    expectNothingGiven(page)
    expect(locationOf(page).hash).toContain('error=unauthorized_client')
  })

  test('is demanded of a client that is set to it', async () => {
    const strict = await register({
      jwks: { keys: [key.jwk] },
      request_object_signing_alg: 'ES256',
      require_signed_request_object: true,
    })
    expect(refusal(await open(authorizeUrl(app, strict)))).toBe('invalid_request')
    expect(await code(urlWith(await signed(key, {}, strict), strict))).toBeTruthy()
  })

  test('is demanded to be pushed of a client that is set to that', async () => {
    const pushing = await register({ require_pushed_authorization_requests: true })
    expect(refusal(await open(authorizeUrl(app, pushing)))).toBe('invalid_request')
    const { json } = await post(`${app.issuer}/par`, parameters(pushing), basic(pushing))
    const url = `${app.issuer}/authorize?${query({ client_id: pushing.client.id, request_uri: String(json['request_uri']) })}`
    expect(await code(url)).toBeTruthy()
  })

  test('is verified with the keys at the address that the client registered, fetched again when they change', async () => {
    const [first, second] = [await keyFor('ES256'), await keyFor('ES256')]
    const of = await register({ jwks_uri: keyAddress, request_object_signing_alg: 'ES256' })
    published = [first.jwk]
    expect(await code(urlWith(await signed(first, {}, of), of))).toBeTruthy()
    expect(await code(urlWith(await signed(first, {}, of), of))).toBeTruthy()
    expect(fetched).toBe(1)
    expect(refusal(await open(urlWith(await signed(second, {}, of), of)))).toBe('invalid_request_object')
  })

  test('A11 is refused, without a fault, where the keys are at an address that may not be called', async () => {
    const of = await register({ jwks_uri: 'http://[::1]:9/keys', request_object_signing_alg: 'ES256' })
    const page = await open(urlWith(await signed(key, {}, of), of))
    expectNothingGiven(page)
    expect(page.status).toBeLessThan(500)
  })

  test('A11 is never fetched from a request_uri that is not registered', async () => {
    const before = fetched
    for (const request_uri of [keyAddress, `${keyAddress}#x`, 'https://rp.example/request.jwt']) {
      const page = await open(`${app.issuer}/authorize?${query({ client_id: client.client.id, request_uri })}`)
      expect(refusal(page)).toMatch(/^(request_uri_not_supported|invalid_request_uri)$/)
    }
    expect(fetched).toBe(before)
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: true,
      require_request_uri_registration: true,
    })
    expect(json['request_object_signing_alg_values_supported']).not.toContain('none')
  })

  describe('by reference', () => {
    afterAll(() => {
      placed = undefined
    })
    const urlOf = (of: RegisteredClient, request_uri: string) =>
      `${app.issuer}/authorize?${query({ client_id: of.client.id, request_uri })}`

    test('signs a person in, and is read anew each time', async () => {
      const address = `${keyAddress}?request#${'h'.repeat(43)}`
      const of = await register({ jwks: { keys: [key.jwk] }, request_uris: [address] })
      placed = await signed(key, {}, of)
      const before = fetched
      expect(await code(urlOf(of, address))).toBeTruthy()
      expect(await code(urlOf(of, address))).toBeTruthy()
      expect(fetched).toBe(before + 2)
      for (const other of [`${address}x`, keyAddress, `${keyAddress}?request`])
        expect(refusal(await open(urlOf(of, other)))).toBe('request_uri_not_supported')
      expect(fetched).toBe(before + 2)
    })

    test('is refused where it is signed by a stranger, or not there', async () => {
      const of = await register({ jwks: { keys: [key.jwk] }, request_uris: [keyAddress, 'http://127.0.0.1:9/request'] })
      placed = await signed(await keyFor('ES256'), {}, of)
      expect(refusal(await open(urlOf(of, keyAddress)))).toBe('invalid_request_object')
      for (const text of [new UnsecuredJWT(parameters(of)).encode(), '{"scope":"openid"}', '']) {
        placed = text
        expect(refusal(await open(urlOf(of, keyAddress))), text).toBe('invalid_request_uri')
      }
      expect(refusal(await open(urlOf(of, 'http://127.0.0.1:9/request')))).toBe('invalid_request_uri')
    })

    test('is not called for a client that is disabled, nor beside a request', async () => {
      const of = await register({ jwks: { keys: [key.jwk] }, request_uris: [keyAddress] })
      placed = await signed(key, {}, of)
      const before = fetched
      expect(refusal(await open(`${urlOf(of, keyAddress)}&${query({ request: placed })}`))).toBe('invalid_request')
      await app.services.clients.disable(of.client.id)
      expectNothingGiven(await open(urlOf(of, keyAddress)))
      expect(fetched).toBe(before)
    })
  })

  test.each([
    ['a private key', { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }] } }, 'jwks'],
    ['a secret', { jwks: { keys: [{ kty: 'oct', k: 'secret' }] } }, 'jwks'],
    ['no key at all', { jwks: { keys: [] } }, 'jwks'],
    ['something else', { jwks: 'https://rp.example/keys' }, 'jwks'],
    ['an address by http', { jwks_uri: 'http://rp.example/keys' }, 'jwks_uri'],
    ['unsigned requests', { request_object_signing_alg: 'none' }, 'request_object_signing_alg'],
  ])('A77 refuses to register %s', async (_, metadata, field) => {
    await expect(register(metadata)).rejects.toMatchObject({
      code: 'invalid_input',
      fields: { [field]: expect.any(String) },
    })
  })

  test('A77 refuses to register two sources of keys, or none for what needs one', async () => {
    for (const metadata of [
      { jwks: { keys: [key.jwk] }, jwks_uri: keyAddress },
      { request_object_signing_alg: 'ES256' },
    ])
      await expect(register(metadata)).rejects.toMatchObject({ code: 'invalid_input' })
  })
})

async function keyFor(alg: string): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid: crypto.randomUUID(), alg, use: 'sig' } }
}
