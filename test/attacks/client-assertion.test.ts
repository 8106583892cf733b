// A56: what a client signs instead of sending a secret, and what is not taken for it (RFC 7523 §3).
import { createPublicKey } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, startApp, type TestApp } from '../support/app.ts'
import {
  asserted,
  createAssertingClient,
  createSecretAssertingClient,
  newKeyPair,
  signer,
  type AssertingClient,
  type KeyPair,
} from '../support/assertion.ts'
import { databases } from '../support/databases.ts'
import { basic, expectNothingGiven, post } from '../support/protocol.ts'

const now = () => Math.floor(Date.now() / 1000)

describe.each(databases)('client assertions on $name', (database) => {
  let app: TestApp
  let keys: KeyPair
  let service: AssertingClient
  let secretive: AssertingClient

  beforeAll(async () => {
    app = await startApp(database)
    keys = await newKeyPair('ES256')
    service = await createAssertingClient(app, keys)
    secretive = await createSecretAssertingClient(app)
  })
  afterEach(async () => {
    for (const client of [service, secretive]) {
      const { status, body } = await asserted(app, await client.assertion({}))
      if (status !== 200) throw new Error(`a client in order was refused afterwards: ${body}`)
    }
  })
  afterAll(() => app.close())

  const expectRefused = async (assertion: string) => {
    const answer = await asserted(app, assertion)
    expectNothingGiven(answer)
    expect([answer.status, answer.json['error']], answer.body).toEqual([401, 'invalid_client'])
  }

  const claims: readonly [string, () => Record<string, unknown>][] = [
    ['another audience', () => ({ aud: 'https://other.example' })],
    ['no audience', () => ({ aud: undefined })],
    ['an audience that only begins like ours', () => ({ aud: `${app.config.issuer}.evil.example` })],
    ['an issuer that is not its subject', () => ({ iss: 'somebody' })],
    ['no issuer', () => ({ iss: undefined })],
    ['no subject', () => ({ sub: undefined })],
    ['a subject that is no client', () => ({ sub: 'nobody', iss: 'nobody' })],
    ['the subject of another client', () => ({ sub: secretive.client.id, iss: service.client.id })],
    ['no end', () => ({ exp: undefined })],
    ['an end five minutes ago', () => ({ exp: now() - 300 })],
    ['an end in two days', () => ({ exp: now() + 2 * 86_400 })],
    ['an end that no calendar has', () => ({ exp: 1e300 })],
    ['an end that is text', () => ({ exp: 'tomorrow' })],
    ['no jti', () => ({ jti: undefined })],
    ['an empty jti', () => ({ jti: '' })],
    ['a jti that is a number', () => ({ jti: 1 })],
    ['a making 61 seconds from now', () => ({ iat: now() + 61 })],
    ['a beginning 61 seconds from now', () => ({ nbf: now() + 61 })],
  ]
  test.each(claims)('A56 refuses %s', async (_, changes) => {
    await expectRefused(await service.assertion(changes()))
    await expectRefused(await secretive.assertion(changes()))
  })

  test.each(['iat', 'nbf'])('A56 forgives a clock that is eight seconds ahead in %s', async (claim) => {
    for (const client of [service, secretive]) {
      const { status } = await asserted(app, await client.assertion({ [claim]: now() + 8 }))
      expect(status).toBe(200)
    }
  })

  test('A56 takes an assertion once', async () => {
    for (const client of [service, secretive]) {
      const assertion = await client.assertion({})
      expect((await asserted(app, assertion)).status).toBe(200)
      await expectRefused(assertion)
      const elsewhere = await asserted(app, assertion, { token: 'x' }, '/introspect')
      expect([elsewhere.status, elsewhere.json['error']]).toEqual([401, 'invalid_client'])
    }
  })

  test('A56 takes a jti of another client as a fresh one', async () => {
    for (const client of [service, secretive])
      expect((await asserted(app, await client.assertion({ jti: 'the-same-for-both' }))).status).toBe(200)
  })

  test('A56 refuses what nobody signed', async () => {
    const [, payload, signature] = (await service.assertion({})).split('.')
    for (const alg of ['none', 'None', 'NONE', 'HS256', 'RS256', 'constructor']) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url')
      await expectRefused(`${header}.${payload}.`)
      await expectRefused(`${header}.${payload}.${signature}`)
    }
  })

  test('A56 refuses a secret that is the public key, in each of its forms', async () => {
    const pem = createPublicKey({ key: { ...keys.publicJwk }, format: 'jwk' })
    const forms = [
      pem.export({ type: 'spki', format: 'pem' }),
      pem.export({ type: 'spki', format: 'der' }),
      JSON.stringify(keys.publicJwk),
      keys.publicJwk.x ?? '',
    ]
    for (const form of forms)
      await expectRefused(await signer(service, app.config.issuer, new Uint8Array(Buffer.from(form)))({}))
  })

  test('A56 refuses the key of another, brought along or not', async () => {
    const foreign = await newKeyPair('ES256')
    const sign = signer(service, app.config.issuer, foreign.privateKey)
    await expectRefused(await sign({}, { alg: 'ES256' }))
    await expectRefused(await sign({}, { alg: 'ES256', kid: keys.publicJwk.kid }))
    await expectRefused(await sign({}, { alg: 'ES256', jwk: foreign.publicJwk }))
    await expectRefused(await signer(secretive, app.config.issuer, foreign.privateKey)({}, { alg: 'ES256' }))
  })

  test('A56 refuses another algorithm than the one that was registered', async () => {
    const rsa = await newKeyPair('RS256')
    const strict = await createAssertingClient(app, rsa, {
      jwks: { keys: [rsa.publicJwk] },
      token_endpoint_auth_signing_alg: 'RS256',
    })
    expect((await asserted(app, await strict.assertion({}))).status).toBe(200)
    const hmac = await createSecretAssertingClient(app, { token_endpoint_auth_signing_alg: 'HS512' })
    await expectRefused(await hmac.assertion({}, { alg: 'HS256' }))
    expect((await asserted(app, await hmac.assertion({}, { alg: 'HS512' }))).status).toBe(200)
  })

  test('A55 refuses a secret where an assertion is registered, and an assertion where a secret is', async () => {
    const plain = await createClient(app.services, { type: 'service', redirect_uris: [] })
    await expectRefused(await signer(plain, app.config.issuer, new TextEncoder().encode(plain.secret))({}))
    const fields = { grant_type: 'client_credentials' }
    const answers = [
      await post(`${app.issuer}/token`, fields, basic(secretive)),
      await post(`${app.issuer}/token`, fields, basic({ client: service.client, secret: 'x'.repeat(64) })),
      await post(`${app.issuer}/token`, { ...fields, client_id: service.client.id }),
    ]
    for (const { status, json } of answers) expect([status, json['error']]).toEqual([401, 'invalid_client'])
  })

  test('A55 a secret that was replaced signs nothing, its overlap or not', async () => {
    const client = await createSecretAssertingClient(app)
    const { secret } = await app.services.clients.rotateSecret(client.client.id, { overlap_seconds: 3_600 })
    await expectRefused(await client.assertion({}))
    const newest = signer(client, app.config.issuer, new TextEncoder().encode(secret))
    expect((await asserted(app, await newest({}))).status).toBe(200)
  })
})
