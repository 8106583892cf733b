// What a client may ask in a backchannel authentication request (CIBA Core 1.0 §7), and what it is refused.
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { answer, asked, askFor, createPollingClient, openApprovals, waitingIn } from '../support/backchannel.ts'
import { newKeyPair } from '../support/assertion.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { basic, post, tokensFor } from '../support/protocol.ts'

describe.each(databases)('a backchannel authentication request on $name', (database) => {
  let app: TestApp
  let till: RegisteredClient
  let ada: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    await app.services.accounts.create({ email: 'bob@example.com', username: 'bob' }, PASSWORD)
    till = await createPollingClient(app)
    ada = browserSession(app.issuer)
    await openApprovals(app, ada)
  })
  afterAll(() => app.close())

  test('takes an ID token that it gave this client as the hint, and no other', async () => {
    const web = await createClient(app.services, { name: 'Web', ciba: 'poll', first_party: true })
    const { idToken } = await tokensFor(app, web)
    const hinted = { login_hint: undefined, id_token_hint: idToken }
    expect((await answer(app, ada, await asked(app, web, hinted))).body).toContain('You approved')
    expect((await askFor(app, till, hinted)).json['error']).toBe('invalid_request')
    expect((await askFor(app, web, { ...hinted, id_token_hint: 'nonsense' })).json['error']).toBe('invalid_request')
    expect((await askFor(app, web, { ...hinted, login_hint: 'ada' })).json['error']).toBe('invalid_request')
  })

  test('says the same of everybody who cannot be asked', async () => {
    const closed = await createPollingClient(app, { name: 'Closed', assignment: 'groups' })
    const carol = await app.services.accounts.create({ email: 'carol@example.com' }, PASSWORD)
    await app.services.accounts.disable(carol.id)
    const answers = [
      await askFor(app, till, { login_hint: 'nobody@example.com' }),
      await askFor(app, till, { login_hint: 'carol@example.com' }),
      await askFor(app, closed),
    ]
    for (const { status, json } of answers)
      expect([status, json]).toEqual([
        400,
        { error: 'unknown_user_id', error_description: 'could not identify end-user', error_id: expect.any(String) },
      ])
  })

  test.each([
    ['a message of two lines', { binding_message: 'one\ntwo' }, 'invalid_binding_message'],
    ['a message too long', { binding_message: 'x'.repeat(65) }, 'invalid_binding_message'],
    ['a message that hides its direction', { binding_message: 'pay \u202e100' }, 'invalid_binding_message'],
    ['a login_hint_token', { login_hint: undefined, login_hint_token: 'x' }, 'invalid_request'],
    ['no hint', { login_hint: undefined }, 'invalid_request'],
    ['a user code', { user_code: '1234' }, 'invalid_request'],
    ['a request context', { request_context: '{}' }, 'invalid_request'],
    ['a request without openid', { scope: 'email' }, 'invalid_request'],
    ['an expiry that is no number', { requested_expiry: 'soon' }, 'invalid_request'],
    [
      'a class that cannot be met',
      { claims: '{"id_token":{"acr":{"essential":true,"value":"phr"}}}' },
      'unmet_authentication_requirements',
    ],
  ])('refuses %s', async (_what, fields, error) => {
    const { status, json } = await askFor(app, till, fields)
    expect([status, json['error']]).toEqual([400, error])
  })

  test('bounds how long a request waits', async () => {
    const seconds = async (requested: string) => {
      const { json } = await askFor(app, till, { requested_expiry: requested })
      await answer(app, ada, String(json['auth_req_id']), 'deny')
      return json['expires_in']
    }
    expect([await seconds('30'), await seconds('86400')]).toEqual([30, 600])
  })

  test('lets one client have five requests waiting for a person, and others still ask', async () => {
    const flood = await createPollingClient(app, { name: 'Flood' })
    const answers = await Promise.all(Array.from({ length: 12 }, () => askFor(app, flood)))
    const taken = answers.filter(({ status }) => status === 200).length
    expect(taken).toBeLessThanOrEqual(5)
    for (let more = taken; more < 5; more += 1) await asked(app, flood)
    const refused = await askFor(app, flood)
    expect([refused.status, refused.json['error']]).toEqual([400, 'access_denied'])
    const waiting = async () => waitingIn(await openApprovals(app, ada)).filter((name) => name === 'Flood')
    expect(await waiting()).toHaveLength(5)
    await answer(app, ada, await asked(app, till), 'deny')
    await asked(app, flood, { login_hint: 'bob' })
    await app.services.clients.disable(flood.client.id)
    expect(await waiting()).toEqual([])
  })

  test('takes requests of no client that is not registered for them, or not itself', async () => {
    const plain = await createClient(app.services, { name: 'Plain' })
    const refused = await askFor(app, plain)
    expect([refused.status, refused.json['error']]).toEqual([400, 'invalid_request'])
    expect((await askFor(app, { ...till, secret: 'a guess' })).json['error']).toBe('invalid_client')
    const nameless = await post(`${app.issuer}/backchannel_authentication`, { scope: 'openid', login_hint: 'ada' })
    expect(nameless.status).toBeGreaterThanOrEqual(400)
    const wrongGrant = await post(`${app.issuer}/token`, { grant_type: CIBA_GRANT, auth_req_id: 'x' }, basic(plain))
    expect([wrongGrant.status, wrongGrant.json['error']]).toEqual([400, 'invalid_request'])
  })

  test('takes signed requests, and no others, of a client that registered an algorithm for them', async () => {
    const { publicJwk, privateKey } = await newKeyPair('ES256')
    const careful = await createPollingClient(app, {
      metadata: { jwks: { keys: [publicJwk] }, backchannel_authentication_request_signing_alg: 'ES256' },
    })
    const signed = (claims: Readonly<Record<string, unknown>> = {}) => {
      const now = Math.floor(Date.now() / 1_000)
      const standard = { iss: careful.client.id, aud: app.issuer, iat: now, nbf: now, exp: now + 60, jti: `${now}` }
      return new SignJWT({ ...standard, scope: 'openid', login_hint: 'ada', binding_message: 'Signed', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: publicJwk.kid ?? '' })
        .sign(privateKey)
    }
    const bare = { scope: undefined, login_hint: undefined }
    const id = await asked(app, careful, { ...bare, request: await signed() })
    expect((await answer(app, ada, id)).body).toContain('You approved')
    for (const fields of [
      {},
      { ...bare, request: await signed({ aud: 'https://elsewhere.example' }) },
      { ...bare, request: await signed({ jti: undefined }) },
    ])
      expect((await askFor(app, careful, fields)).json['error']).toBe('invalid_request')
  })

  test('keeps at rest neither the request’s id nor the notification token nor the message', async () => {
    const id = await asked(app, till, { binding_message: 'Room 101', client_notification_token: 'a-token' })
    const rows = JSON.stringify(await app.services.database.db.selectFrom('artifacts').selectAll().execute())
    for (const secret of [id, 'Room 101', 'a-token']) expect(rows).not.toContain(secret)
    await answer(app, ada, id, 'deny')
  })
})
