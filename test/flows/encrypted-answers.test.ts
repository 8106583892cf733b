// Answers that only the application can read: ID tokens, userinfo, introspection and the answer of the authorization
// endpoint, signed first and then encrypted to a key of the client's (OpenID Connect Core 1.0 §16.14).
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  compactDecrypt,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  type CryptoKey,
  type JSONWebKeySet,
  type JWK,
} from 'jose'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { CONTENT_ENCRYPTION, KEY_ENCRYPTION } from '#core/clients/response-encryption.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { listening, stopped } from '../support/outbound.ts'
import { authorizeUrl, basic, codeFor, post, redeem, send, tokensFor, userinfo } from '../support/protocol.ts'
import { authorize, relyingParty } from '../support/relying-party.ts'

const ANSWERS = ['id_token', 'userinfo', 'introspection', 'authorization']

describe('encrypted answers', () => {
  let app: TestApp
  let browser: BrowserSession
  let ada: string

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'), { settings: { OUTBOUND_ALLOW: '127.0.0.1' } })
    ada = (await createPerson(app.services)).id
    browser = browserSession(app.issuer)
    await tokensFor(app, await createClient(app.services, { first_party: true }), {}, browser)
  })
  afterAll(() => app.close())

  const register = (metadata: Readonly<Record<string, unknown>>) =>
    createClient(app.services, { first_party: true, metadata })
  const all = (alg: string, enc?: string) => ({
    userinfo_signed_response_alg: 'ES256',
    ...Object.fromEntries(ANSWERS.map((answer) => [`${answer}_encrypted_response_alg`, alg])),
    ...(enc === undefined
      ? {}
      : Object.fromEntries(ANSWERS.map((answer) => [`${answer}_encrypted_response_enc`, enc]))),
  })
  const opened = async (jwe: string, key: CryptoKey, { client }: RegisteredClient) => {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, key)
    // boundary: what the server publishes; jose judges it
    const jwks = (await send(`${app.issuer}/.well-known/jwks.json`)).json as unknown as JSONWebKeySet
    const expected = { issuer: app.issuer, audience: client.id }
    const { payload } = await jwtVerify(Buffer.from(plaintext).toString(), createLocalJWKSet(jwks), expected)
    return { payload, header: protectedHeader }
  }

  test.each(KEY_ENCRYPTION.map((alg, index) => [alg, CONTENT_ENCRYPTION[index % CONTENT_ENCRYPTION.length]] as const))(
    '%s with %s opens with the key of the client, for all four answers',
    async (alg, enc) => {
      const { jwk, privateKey } = await keyFor(alg)
      const client = await register({ ...all(alg, enc), jwks: { keys: [jwk] } })
      const url = await authorize(browser, authorizeUrl(app, client, { response_mode: 'jwt' }))
      const answer = await opened(url.searchParams.get('response') ?? '', privateKey, client)
      expect(answer.header).toMatchObject({ alg, enc, kid: jwk.kid, cty: 'JWT' })
      const { json } = await redeem(app, client, String(answer.payload['code']))
      expect((await opened(String(json['id_token']), privateKey, client)).payload['sub']).toBe(ada)
      const accessToken = String(json['access_token'])
      const told = await userinfo(app, accessToken)
      expect((await opened(told.body, privateKey, client)).payload).toMatchObject({ email: 'ada@example.com' })
      const headers = { ...basic(client), accept: 'application/token-introspection+jwt' }
      const introspected = await post(`${app.issuer}/introspect`, { token: accessToken }, headers)
      expect((await opened(introspected.body, privateKey, client)).payload['token_introspection']).toMatchObject({
        active: true,
      })
    },
  )

  test('openid-client signs in with an encrypted ID token', async () => {
    const { jwk, privateKey } = await keyFor('ECDH-ES')
    const client = await register({ id_token_encrypted_response_alg: 'ECDH-ES', jwks: { keys: [jwk] } })
    const rp = await relyingParty(app.issuer, client)
    oidc.enableDecryptingResponses(rp.config, ['A128CBC-HS256'], { key: privateKey, kid: String(jwk.kid) })
    const begun = await rp.begin()
    const tokens = await rp.redeem(await authorize(browser, begun.url), begun)
    expect(tokens.claims()).toMatchObject({ sub: ada, email: 'ada@example.com' })
  })

  test('are encrypted to the key at the address that the client registered', async () => {
    const { jwk, privateKey } = await keyFor('RSA-OAEP-256')
    const server = createServer((_request, response) => void response.end(JSON.stringify({ keys: [jwk] })))
    const jwks_uri = `http://127.0.0.1:${await listening(server)}/keys`
    const client = await register({ id_token_encrypted_response_alg: 'RSA-OAEP-256', jwks_uri })
    const { idToken } = await tokensFor(app, client, {}, browser)
    await stopped(server)
    expect((await opened(idToken, privateKey, client)).payload['sub']).toBe(ada)
  })

  test('make nobody wait but those who are to get them, however slowly the key comes', async () => {
    const { jwk } = await keyFor('ECDH-ES')
    const held: (() => void)[] = []
    const server = createServer((_request, response) => {
      held.push(() => response.end(JSON.stringify({ keys: [jwk] })))
    })
    const jwks_uri = `http://127.0.0.1:${await listening(server)}/keys`
    const client = await register({ id_token_encrypted_response_alg: 'ECDH-ES', jwks_uri })
    const codes = [await codeFor(app, client, {}, browser), await codeFor(app, client, {}, browser)]
    const answers = Promise.all(codes.map((code) => redeem(app, client, code)))
    await vi.waitFor(() => expect(held).toHaveLength(1))
    // time for the other one to wait for the same call
    await sleep(100)
    await register({})
    for (const answer of held) answer()
    expect((await answers).map(({ status }) => status)).toEqual([200, 200])
    await stopped(server)
  })

  test('are not given at all where the key cannot be fetched', async () => {
    const client = await register({ id_token_encrypted_response_alg: 'RSA-OAEP', jwks_uri: 'http://127.0.0.1:1/keys' })
    const answer = await redeem(app, client, await codeFor(app, client, {}, browser))
    expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_client_metadata'])
    expect(answer.body).not.toContain('id_token')
  })

  test('discovery names what is offered, and nothing of request objects, which are signed only', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    for (const answer of ANSWERS) {
      expect(json[`${answer}_encryption_alg_values_supported`]).toEqual(KEY_ENCRYPTION)
      expect(json[`${answer}_encryption_enc_values_supported`]).toEqual(CONTENT_ENCRYPTION)
    }
    expect(Object.keys(json).filter((name) => name.startsWith('request_object_encryption'))).toEqual([])
    expect(Object.values(json).filter((value) => Array.isArray(value) && value.length === 0)).toEqual([])
  })

  test.each([
    ['RSA1_5', async () => ({ id_token_encrypted_response_alg: 'RSA1_5', jwks: { keys: [await rsa()] } })],
    ['a key of the secret', async () => ({ id_token_encrypted_response_alg: 'A128KW' })],
    ['no key at all', async () => ({ id_token_encrypted_response_alg: 'RSA-OAEP' })],
    [
      'a key of another kind',
      async () => ({ id_token_encrypted_response_alg: 'ECDH-ES', jwks: { keys: [await rsa()] } }),
    ],
    [
      'a key for signatures',
      async () => ({ id_token_encrypted_response_alg: 'RSA-OAEP', jwks: { keys: [{ ...(await rsa()), use: 'sig' }] } }),
    ],
    [
      'a content algorithm alone',
      async () => ({ id_token_encrypted_response_enc: 'A128GCM', jwks: { keys: [await rsa()] } }),
    ],
    [
      'userinfo that is not signed',
      async () => ({ userinfo_encrypted_response_alg: 'RSA-OAEP', jwks: { keys: [await rsa()] } }),
    ],
  ])('refuses to register %s', async (_, metadata) => {
    await expect(register(await metadata())).rejects.toMatchObject({ code: 'invalid_input' })
  })
})

const rsa = async () => (await keyFor('RSA-OAEP')).jwk

async function keyFor(alg: string): Promise<{ readonly jwk: JWK; readonly privateKey: CryptoKey }> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: crypto.randomUUID(), alg, use: 'enc' } }
}
