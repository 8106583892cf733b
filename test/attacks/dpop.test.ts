// Tokens that are bound to a key (RFC 9449): proofs that are replayed, borrowed or made for something else, and nonces.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createClient,
  createPerson,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { newKeyPair, type KeyPair } from '../support/assertion.ts'
import { databases } from '../support/databases.ts'
import { dpopProof, seconds } from '../support/fapi2.ts'
import { codeFor, post, send, tokensIn, VERIFIER, type Answer, type Tokens } from '../support/protocol.ts'

type Claims = Readonly<Record<string, unknown>>

describe.each(databases)('proofs of possession on $name', (database) => {
  let app: TestApp
  let spa: RegisteredClient
  let keys: KeyPair
  let thief: KeyPair
  let tokens: Tokens

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    spa = await createClient(app.services, { type: 'spa', first_party: true, refresh_tokens: 'always' })
    keys = await newKeyPair()
    thief = await newKeyPair()
    tokens = tokensIn(await redeem())
  })
  afterAll(() => app.close())

  const proof = (path: string, claims: Claims = {}, by = keys) => dpopProof(`${app.issuer}${path}`, by, claims)
  const atToken = async (fields: Readonly<Record<string, string>>, dpop: string): Promise<Answer> =>
    post(`${app.issuer}/token`, { client_id: spa.client.id, ...fields }, { dpop })
  const redeem = async (dpop?: string): Promise<Answer> =>
    atToken(
      {
        grant_type: 'authorization_code',
        code: await codeFor(app, spa),
        redirect_uri: REDIRECT_URI,
        code_verifier: VERIFIER,
      },
      dpop ?? (await proof('/token')),
    )
  const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
  const ask = (dpop: string | undefined, scheme = 'DPoP', token = tokens.accessToken): Promise<Answer> =>
    send(`${app.issuer}/userinfo`, { headers: { authorization: `${scheme} ${token}`, ...(dpop && { dpop }) } })
  const ofToken = (claims: Claims = {}, by = keys) =>
    proof('/userinfo', { htm: 'GET', ath: hash(tokens.accessToken), ...claims }, by)

  test('A57 takes a bound token with a proof of its key, and under no other scheme', async () => {
    expect((await ask(await ofToken())).status).toBe(200)
    expect((await ask(undefined, 'Bearer')).status).toBe(401)
    expect((await ask(await ofToken(), 'Bearer')).status).toBe(400) // two ways at once (RFC 6750 §2)
    expect((await ask(undefined)).status).toBe(400)
  })

  test.each(['ES256', 'PS256', 'EdDSA'])('takes a proof that is signed with %s', async (alg) => {
    const own = await newKeyPair(alg)
    expect((await redeem(await proof('/token', {}, own))).status).toBe(200)
  })

  test.each(['RS256', 'ES512'])('A57 refuses a proof that is signed with %s', async (alg) => {
    expect((await redeem(await proof('/token', {}, await newKeyPair(alg)))).status).toBe(400)
  })

  test.each<[string, () => Promise<string>]>([
    ['for another address', () => ofToken({ htu: 'https://elsewhere.example/userinfo' })],
    ['for another method', () => ofToken({ htm: 'POST' })],
    ['for another token', () => ofToken({ ath: hash('another') })],
    ['for no token', () => ofToken({ ath: undefined })],
    ['of another key', () => ofToken({}, thief)],
    ['without an id', () => ofToken({ jti: undefined })],
    ['without a time', () => ofToken({ iat: undefined })],
    ['of long ago', () => ofToken({ iat: seconds(-3_600) })],
    ['of the future', () => ofToken({ iat: seconds(3_600) })],
    ['that is none', async () => 'x.y.z'],
  ])('A57 refuses a proof %s', async (_, made) => {
    const { status, headers } = await ask(await made())
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toMatch(/^DPoP .*error="(invalid_dpop_proof|invalid_token|use_dpop_nonce)"/)
  })

  test('A57 refuses a proof that was used, at userinfo and at the token endpoint', async () => {
    const atUserinfo = await ofToken()
    expect([(await ask(atUserinfo)).status, (await ask(atUserinfo)).status]).toEqual([200, 401])
    const once = await proof('/token')
    expect((await redeem(once)).status).toBe(200)
    expect([(await redeem(once)).status]).toEqual([400])
  })

  test('A57 refuses a refresh of a public client by another key, and takes it by its own afterwards', async () => {
    const { refreshToken } = tokensIn(await redeem())
    const fields = { grant_type: 'refresh_token', refresh_token: refreshToken }
    const stolen = await atToken(fields, await proof('/token', {}, thief))
    expect([stolen.status, stolen.json['access_token']]).toEqual([400, undefined])
    expect((await post(`${app.issuer}/token`, { client_id: spa.client.id, ...fields })).status).toBe(400)
    const own = await atToken(fields, await proof('/token'))
    expect([own.status, own.json['token_type']]).toEqual([200, 'DPoP'])
  })

  test('gives a nonce with every answer, takes it back, and asks for one where the clock of the client is wrong', async () => {
    const first = await redeem()
    const nonce = first.headers.get('dpop-nonce') ?? ''
    expect(nonce).toMatch(/^[\w-]{20,}$/)
    expect((await redeem(await proof('/token', { nonce }))).status).toBe(200)

    const late = await redeem(await proof('/token', { iat: seconds(-3_600) }))
    expect([late.status, late.json['error']]).toEqual([400, 'use_dpop_nonce'])
    const given = late.headers.get('dpop-nonce') ?? ''
    expect((await redeem(await proof('/token', { iat: seconds(-3_600), nonce: given }))).status).toBe(200)
  })

  test('refuses a nonce that was made up, and gives one', async () => {
    const answer = await redeem(await proof('/token', { nonce: 'A'.repeat(43) }))
    expect([answer.status, answer.json['error']]).toEqual([400, 'use_dpop_nonce'])
    expect(answer.headers.get('dpop-nonce')).toMatch(/^[\w-]{20,}$/)
  })
})
