// An authorization code: redeemed once, in time, by the client and with the verifier that it was made for.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  bystander,
  codeFor,
  expectNothingGiven,
  post,
  redeem,
  refresh,
  tokensIn,
  userinfo,
  type Answer,
} from '../support/protocol.ts'

describe.each(databases)('an authorization code on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let other: RegisteredClient
  let spa: RegisteredClient
  let stillWorks: () => Promise<void>
  let signedIn: BrowserSession

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services, {
      redirect_uris: ['http://localhost:9/callback', 'http://localhost:9/second'],
    })
    other = await createClient(app.services, { first_party: true })
    spa = await createClient(app.services, { type: 'spa' })
    stillWorks = await bystander(app)
    signedIn = browserSession(app.issuer)
  })
  afterEach(async () => {
    vi.useRealTimers()
    await stillWorks()
  })
  afterAll(() => app.close())

  const expectInvalidGrant = (answer: Answer) => {
    expectNothingGiven(answer)
    expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_grant'])
    expect(answer.headers.get('cache-control')).toContain('no-store')
  }
  const later = (seconds: number) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + seconds * 1_000)
  }

  test.each([0, 1, 30])('A46 refuses a code again after %s seconds, and ends what came of it', async (seconds) => {
    const code = await codeFor(app, web, { scope: 'openid offline_access', prompt: 'consent' }, signedIn)
    const first = await redeem(app, web, code)
    expect(first.status).toBe(200)
    const { accessToken, refreshToken } = tokensIn(first)
    expect((await userinfo(app, accessToken)).status).toBe(200)
    if (seconds > 0) later(seconds)
    expectInvalidGrant(await redeem(app, web, code))
    vi.useRealTimers()
    expect((await userinfo(app, accessToken)).status).toBe(401)
    expectInvalidGrant(await refresh(app, web, refreshToken))
    expectInvalidGrant(await redeem(app, web, code))
  })

  test('A48 refuses a code to another client, whose try costs the rightful one nothing', async () => {
    const code = await codeFor(app, web, {}, signedIn)
    expectInvalidGrant(await redeem(app, other, code))
    expectInvalidGrant(await redeem(app, spa, code))
    expect((await redeem(app, web, code)).status).toBe(200)
  })

  test.each([
    ['the other registered redirect URI', { redirect_uri: 'http://localhost:9/second' }],
    ['a foreign redirect URI', { redirect_uri: 'https://evil.example' }],
    ['a wrong verifier', { code_verifier: 'x'.repeat(50) }],
    ['the challenge as verifier', { code_verifier: 'x'.repeat(43) }],
    ['an empty verifier', { code_verifier: '' }],
    ['no verifier', { code_verifier: undefined }],
  ])('A48 refuses a code with %s, and gives it to the rightful client afterwards', async (_, changes) => {
    const code = await codeFor(app, web, {}, signedIn)
    const answer = await redeem(app, web, code, changes)
    expectNothingGiven(answer)
    expect(answer.json['error']).toMatch(/^invalid_(grant|request)$/)
    expect((await redeem(app, web, code)).status).toBe(200)
  })

  test('A48 refuses a code that is older than its minute', async () => {
    const code = await codeFor(app, web, {}, signedIn)
    later(61 + 15)
    expectInvalidGrant(await redeem(app, web, code))
  })

  test('A48 refuses a code of a client that was disabled or deleted meanwhile', async () => {
    const client = await createClient(app.services)
    const code = await codeFor(app, client, {}, signedIn)
    await app.services.clients.disable(client.client.id)
    expect((await redeem(app, client, code)).json['error']).toBe('invalid_client')
    await app.services.clients.enable(client.client.id)
    expectInvalidGrant(await redeem(app, client, code))
    const second = await codeFor(app, client, {}, signedIn)
    await app.services.clients.remove(client.client.id)
    expect((await redeem(app, client, second)).json['error']).toBe('invalid_client')
    expectInvalidGrant(await redeem(app, other, second))
  })

  test('A48 refuses what is no code', async () => {
    for (const code of ['', 'x', 'x'.repeat(43), '\0', '../../x', `${'x'.repeat(20_000)}`, "' or 1=1 --"]) {
      const answer = await redeem(app, web, code)
      expectNothingGiven(answer)
      expect(answer.status).toBe(400)
    }
  })

  test('A49 refuses a challenge without a verifier and a verifier without a challenge, for confidential clients too', async () => {
    const challenged = await codeFor(app, web, {}, signedIn)
    expectInvalidGrant(await redeem(app, web, challenged, { code_verifier: undefined }))
    const bare = await codeFor(app, web, { code_challenge: undefined, code_challenge_method: undefined }, signedIn)
    expectInvalidGrant(await redeem(app, web, bare))
    expect((await redeem(app, web, bare, { code_verifier: undefined })).status).toBe(200)
  })

  test('tells a code twice in one request apart from one', async () => {
    const code = await codeFor(app, web, {}, signedIn)
    const answer = await post(`${app.issuer}/token`, [
      ['grant_type', 'authorization_code'],
      ['code', code],
      ['code', code],
      ['client_id', web.client.id],
      ['client_secret', web.secret ?? ''],
    ])
    expectNothingGiven(answer)
    expect(answer.json['error']).toBe('invalid_request')
    expect((await redeem(app, web, code)).status).toBe(200)
  })
})
