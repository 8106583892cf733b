// Clients with keys of their own, end to end: every algorithm, keys at an address, and the real client library.
import { createServer } from 'node:http'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TOKEN_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import { createClient, createPerson, REDIRECT_URI, startApp, type TestApp } from '../support/app.ts'
import { asserted, createAssertingClient, createSecretAssertingClient, newKeyPair } from '../support/assertion.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { listening, stopped } from '../support/outbound.ts'
import { codeFor, send, VERIFIER } from '../support/protocol.ts'

describe.each(databases)('clients with keys of their own on $name', (database) => {
  let app: TestApp

  beforeAll(async () => {
    app = await startApp(database, { settings: { OUTBOUND_ALLOW: '127.0.0.1' } })
    await createPerson(app.services)
  })
  afterAll(() => app.close())

  test('discovery names the methods and the algorithms of assertions', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json['token_endpoint_auth_methods_supported']).toEqual(
      expect.arrayContaining(['client_secret_jwt', 'private_key_jwt']),
    )
    expect(new Set(json['token_endpoint_auth_signing_alg_values_supported'] as string[])).toEqual(
      new Set(TOKEN_ALGORITHMS),
    )
  })

  test.each(TOKEN_ALGORITHMS)('an assertion is signed with %s', async (alg) => {
    const client = alg.startsWith('HS')
      ? await createSecretAssertingClient(app)
      : await createAssertingClient(app, await newKeyPair(alg))
    expect((await asserted(app, await client.assertion({}, { alg }))).status).toBe(200)
  })

  test('each address that the issuer names is an audience, where it is asked', async () => {
    const client = await createAssertingClient(app, await newKeyPair())
    for (const aud of [app.issuer, `${app.issuer}/token`, [`${app.issuer}/token`, 'https://other.example']])
      expect((await asserted(app, await client.assertion({ aud }))).status).toBe(200)
  })

  test('openid-client signs in with private_key_jwt and with client_secret_jwt', async () => {
    const keys = await newKeyPair('PS256')
    const web = await createAssertingClient(app, keys, undefined, { first_party: true })
    const hmac = await createClient(app.services, {
      first_party: true,
      metadata: { token_endpoint_auth_method: 'client_secret_jwt' },
    })
    for (const [client, authentication] of [
      [web, oidc.PrivateKeyJwt({ key: keys.privateKey, kid: keys.publicJwk.kid ?? '' })],
      [hmac, oidc.ClientSecretJwt(hmac.secret)],
    ] as const) {
      const config = await oidc.discovery(new URL(app.issuer), client.client.id, undefined, authentication, {
        execute: [oidc.allowInsecureRequests],
      })
      const code = await codeFor(app, client, {}, browserSession(app.issuer))
      const callback = new URL(`${REDIRECT_URI}?code=${code}&state=a-state&iss=${encodeURIComponent(app.issuer)}`)
      const checks = { pkceCodeVerifier: VERIFIER, expectedState: 'a-state', expectedNonce: 'a-nonce' }
      const tokens = await oidc.authorizationCodeGrant(config, callback, checks)
      expect(tokens.claims()?.aud).toBe(client.client.id)
    }
  })

  test('keys at jwks_uri are fetched when they are needed, and kept', async () => {
    const [first, foreign] = [await newKeyPair(), await newKeyPair()]
    const served = { keys: [first.publicJwk], fetched: 0 }
    const server = createServer((_, response) => {
      served.fetched += 1
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: served.keys }))
    })
    const jwksUri = `http://127.0.0.1:${await listening(server)}/jwks.json`
    try {
      const client = await createAssertingClient(app, first, { jwks_uri: jwksUri })
      for (let use = 0; use < 3; use += 1) expect((await asserted(app, await client.assertion({}))).status).toBe(200)
      expect(served.fetched).toBe(1)
      const other = await createAssertingClient(app, foreign, { jwks_uri: jwksUri })
      expect((await asserted(app, await other.assertion({}))).json).toMatchObject({ error: 'invalid_client' })
    } finally {
      await stopped(server)
    }
  })

  test('keys that cannot be fetched, or are at a private address, authenticate nobody', async () => {
    const keys = await newKeyPair()
    for (const address of ['https://10.0.0.1/jwks.json', 'http://127.0.0.1:9/jwks.json']) {
      const client = await createAssertingClient(app, keys, { jwks_uri: address })
      const { status, json } = await asserted(app, await client.assertion({}))
      expect([status, json['error']]).toEqual([401, 'invalid_client'])
    }
  })
})
