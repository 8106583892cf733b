// One refusal for each clause of the FAPI 2.0 Security Profile (Final) and of its Message Signing, named after it, and
// the clocks that both let a client have. What cannot be registered stands in test/core/fapi2.test.ts.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { newKeyPair } from '../support/assertion.ts'
import { browserSession, errorOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { dpopProof, FAPI2_CALLBACK, fapi2Client, seconds, type Fapi2Client, type Wish } from '../support/fapi2.ts'
import {
  authorizeUrl,
  bystander,
  claimsIn,
  expectNothingGiven,
  post,
  send,
  userinfo,
  type Answer,
} from '../support/protocol.ts'
import { authorize } from '../support/relying-party.ts'

describe.each(databases)('requests of a client with the profile fapi2 on $name', (database) => {
  let app: TestApp
  let bank: Fapi2Client
  let browser: BrowserSession
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database, { settings: { TOKENS_CODE_SECONDS: '600' } })
    await createPerson(app.services)
    bank = await fapi2Client(app)
    browser = browserSession(app.issuer)
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    vi.useRealTimers()
    await stillWorks()
  })
  afterAll(() => app.close())

  test.each<[string, () => Wish]>([
    [
      'an assertion of 8 seconds from now',
      () => ({ assertion: { iat: seconds(8), nbf: seconds(8), exp: seconds(90) } }),
    ],
    ['a proof of 8 seconds from now', () => ({ proof: { iat: seconds(8) } })],
    ['a proof of 10 seconds ago', () => ({ proof: { iat: seconds(-10) } })],
    ['a proof that names when it ends', () => ({ proof: { nbf: seconds(-1), exp: seconds(300) } })],
  ])('5.3.2.1 no. 13: takes %s', async (_, wish) => {
    expect((await bank.push(wish())).status).toBe(201)
  })

  test.each<[string, () => Wish | Promise<Wish>, string]>([
    ['5.3.2.1 no. 8: an assertion for the token endpoint', () => audience(`${app.issuer}/token`), 'invalid_client'],
    ['5.3.2.1 no. 8: an assertion for the endpoint', () => audience(`${app.issuer}/par`), 'invalid_client'],
    ['5.3.2.1 no. 8: an assertion for a list', () => audience([app.issuer]), 'invalid_client'],
    [
      '5.3.2.1 no. 13: an assertion of a minute from now',
      () => ({ assertion: { iat: seconds(75), exp: seconds(120) } }),
      'invalid_client',
    ],
    [
      '5.3.2.1 no. 13: an assertion that holds in a minute',
      () => ({ assertion: { nbf: seconds(75), exp: seconds(120) } }),
      'invalid_client',
    ],
    ['5.3.2.1 no. 13: a proof of a minute from now', () => ({ proof: { iat: seconds(75) } }), 'invalid_dpop_proof'],
    [
      '5.3.2.1 no. 12: a proof of another key than dpop_jkt names',
      () => ({ fields: { dpop_jkt: 'x'.repeat(43) }, proof: {} }),
      'invalid_request',
    ],
    ['5.3.2.2 no. 1: code id_token', () => ({ fields: { response_type: 'code id_token' } }), 'unauthorized_client'],
    ['5.3.2.2 no. 1: token', () => ({ fields: { response_type: 'token' } }), 'unsupported_response_type'],
    [
      '5.3.2.2 no. 5: no PKCE',
      () => ({ fields: { code_challenge: undefined, code_challenge_method: undefined } }),
      'invalid_request',
    ],
    ['5.3.2.2 no. 5: plain PKCE', () => ({ fields: { code_challenge_method: 'plain' } }), 'invalid_request'],
    ['5.3.2.2 no. 6: no redirect_uri', () => ({ fields: { redirect_uri: undefined } }), 'invalid_request'],
    [
      '5.3.2.2 no. 6: a redirect_uri that is not registered',
      () => ({ fields: { redirect_uri: 'https://bank.example/other' } }),
      'invalid_request',
    ],
    ['a request_uri that is pushed', () => ({ fields: { request_uri: 'urn:example:1' } }), 'request_uri_not_supported'],
    ['an assertion that ended 5 minutes ago', () => ({ assertion: { exp: seconds(-300) } }), 'invalid_client'],
    ['an assertion of nobody', () => ({ assertion: { sub: undefined } }), 'invalid_client'],
    ['an assertion by another key', async () => ({ assertedBy: await newKeyPair() }), 'invalid_client'],
  ])('refuses to take a push: %s', async (_, wish, error) => {
    const answer = await bank.push(await wish())
    expectNothingGiven(answer)
    expect(answer.json).toMatchObject({ error })
  })

  test.each(['RS256', 'PS384', 'ES512'])('5.4.1 no. 1: refuses %s in assertions, proofs and requests', async (alg) => {
    const other = await newKeyPair(alg)
    const jwks = { keys: [bank.keys.publicJwk, other.publicJwk] }
    await app.services.clients.update(bank.client.id, { metadata: { jwks } })
    for (const [wish, error] of [
      [{ assertedBy: other }, 'invalid_client'],
      [{ proof: {}, provenBy: other }, 'invalid_dpop_proof'],
      [{ fields: { request: await bank.requestObject({}, other) } }, 'invalid_request_object'],
    ] as const) {
      const answer = await bank.push(wish)
      expectNothingGiven(answer)
      expect(answer.json).toMatchObject({ error })
    }
    expect((await bank.push({ assertion: {} })).status).toBe(201)
  })

  test('5.3.2.2 no. 3: refuses a request that was not pushed, signed or not', async () => {
    for (const fields of [
      { redirect_uri: FAPI2_CALLBACK },
      { redirect_uri: FAPI2_CALLBACK, request: await bank.requestObject() },
    ]) {
      const page = await browser.request(authorizeUrl(app, bank, fields))
      expectNothingGiven(page, { signedIn: true })
      const location = page.headers.get('location')
      expect(location === null ? errorOf(page) : new URL(location).searchParams.get('error')).toBe('invalid_request')
    }
  })

  test('5.3.2.2 no. 4: refuses a push without authentication', async () => {
    const asked = new URL(authorizeUrl(app, bank, { redirect_uri: FAPI2_CALLBACK }))
    expect((await post(`${app.issuer}/par`, Object.fromEntries(asked.searchParams))).status).toBe(401)
  })

  test.each<[string, () => Wish | Promise<Wish>, string]>([
    ['5.3.2.1 no. 4: no proof', () => ({ proof: null }), 'invalid_grant'],
    ['5.3.2.1 no. 8: an assertion for the token endpoint', () => audience(`${app.issuer}/token`), 'invalid_client'],
    ['5.3.2.1 no. 13: a proof of a minute from now', () => ({ proof: { iat: seconds(75) } }), 'invalid_dpop_proof'],
    ['5.3.2.2 no. 5: no code_verifier', () => ({ fields: { code_verifier: undefined } }), 'invalid_grant'],
    ['5.3.2.2 no. 5: another code_verifier', () => ({ fields: { code_verifier: 'v'.repeat(43) } }), 'invalid_grant'],
    ['an assertion by another key', async () => ({ assertedBy: await newKeyPair() }), 'invalid_client'],
    ['what is no proof', () => ({ proof: { htm: 'GET' } }), 'invalid_dpop_proof'],
  ])('refuses to redeem a code: %s', async (_, wish, error) => {
    const answer = await bank.redeem(await bank.code(browser), await wish())
    expectRefused(answer, error)
  })

  test('5.3.2.1 no. 11: refuses a code after a minute, however long others live', async () => {
    const code = await bank.code(browser)
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 62_000)
    expectRefused(await bank.redeem(code), 'invalid_grant')
  })

  test('5.3.2.1 no. 12: refuses a code with another key than it was pushed with, or than dpop_jkt named', async () => {
    const provenBy = await newKeyPair()
    const proven = await bank.code(browser, { proof: {} })
    expectRefused(await bank.redeem(proven, { provenBy }), 'invalid_grant')
    const named = await bank.code(browser, { fields: { dpop_jkt: 'x'.repeat(43) } })
    expectRefused(await bank.redeem(named), 'invalid_grant')
  })

  test('5.4.1 no. 1: refuses tokens for an API that takes RS256, and binds those of another', async () => {
    const resource = 'https://api.bank.example/'
    await app.services.apis.create({ identifier: resource, name: 'Accounts', scope: 'read' })
    const asked = { fields: { resource, scope: 'openid read' } }
    expectRefused(await bank.push(asked), 'invalid_target')
    await app.services.apis.update(resource, { signing_alg: 'EdDSA' })
    const answer = await bank.redeem(await bank.code(browser, asked), { fields: { resource } })
    expect(claimsIn(String(answer.json['access_token']))).toMatchObject({
      aud: resource,
      scope: 'read',
      cnf: { jkt: expect.any(String) },
    })
  })

  test('5.3.2.2 no. 9: refuses a code that was redeemed, and one of another client', async () => {
    const code = await bank.code(browser)
    const other = await fapi2Client(app)
    expectRefused(await other.redeem(await bank.code(browser)), 'invalid_grant')
    expect((await bank.redeem(code)).status).toBe(200)
    expectRefused(await bank.redeem(code), 'invalid_grant')
  })

  test('5.3.2.1 no. 4: refuses a token without its key, and with another', async () => {
    const { json } = await bank.redeem(await bank.code(browser))
    const [token, url] = [String(json['access_token']), `${app.issuer}/userinfo`]
    const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url')
    const asked = async (keys: Parameters<typeof dpopProof>[1]) =>
      (
        await send(url, {
          headers: { authorization: `DPoP ${token}`, dpop: await dpopProof(url, keys, { htm: 'GET', ath }) },
        })
      ).status
    expect(await asked(bank.proofKeys)).toBe(200)
    expect(await asked(await newKeyPair())).toBe(401)
    expect((await userinfo(app, token)).status).toBe(401)
  })

  describe('a client that signs its requests', () => {
    let signing: Fapi2Client
    beforeAll(async () => {
      signing = await fapi2Client(app, { require_signed_request_object: true })
    })
    const pushed = async (changes: Readonly<Record<string, unknown>> = {}) =>
      signing.push({ fields: { request: await signing.requestObject(changes) } })

    test.each<[string, () => Readonly<Record<string, unknown>>]>([
      ['one that holds in 8 seconds', () => ({ nbf: seconds(8) })],
      ['one for several', () => ({ aud: ['https://other.example', app.issuer] })],
      ['one for an hour', () => ({ nbf: seconds(-600), exp: seconds(2_900) })],
    ])('may push %s', async (_, changes) => {
      const answer = await pushed(changes())
      expect(answer.status, answer.body).toBe(201)
      const callback = await authorize(browser, signing.url(answer.json['request_uri']))
      expect(callback.searchParams.get('code')).toBeTruthy()
    })

    test.each<[string, () => Readonly<Record<string, unknown>>]>([
      ['no exp', () => ({ exp: undefined })],
      ['no nbf', () => ({ nbf: undefined })],
      ['no aud', () => ({ aud: undefined })],
      ['another aud', () => ({ aud: 'https://other.example' })],
      ['an exp more than an hour after its nbf', () => ({ exp: seconds(3_700) })],
      ['an nbf of more than an hour ago', () => ({ nbf: seconds(-3_700), exp: seconds(-90) })],
      ['an nbf of a minute from now', () => ({ nbf: seconds(75) })],
      ['an exp that is over', () => ({ nbf: seconds(-120), exp: seconds(-60) })],
      ['no redirect_uri', () => ({ redirect_uri: undefined })],
      ['a request_uri in it', () => ({ request_uri: 'urn:example:1' })],
    ])('is refused one with %s', async (_, changes) => {
      const answer = await pushed(changes())
      expectNothingGiven(answer)
      expect([answer.status, answer.json['error']]).toEqual([400, expect.stringMatching(/^invalid_request/)])
    })

    test('is refused one that is not signed, or by another', async () => {
      const foreign = { request: await signing.requestObject({}, await newKeyPair()) }
      expect((await signing.push()).json).toMatchObject({ error: 'invalid_request' })
      expect((await signing.push({ fields: foreign })).json).toMatchObject({ error: 'invalid_request_object' })
    })
  })

  function audience(aud: unknown): Wish {
    return { assertion: { aud } }
  }

  function expectRefused(answer: Answer, error: string): void {
    expectNothingGiven(answer)
    expect(answer.json).toMatchObject({ error })
  }
})
