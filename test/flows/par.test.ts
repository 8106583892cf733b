// Pushed authorization requests (RFC 9126): what was pushed counts, once, for a minute, for the client that pushed it.
import * as oidc from 'openid-client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, basic, bystander, expectNothingGiven, post, query } from '../support/protocol.ts'
import { authorize, relyingParty } from '../support/relying-party.ts'

describe.each(databases)('pushed requests on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let other: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
    other = await createClient(app.services, { first_party: true })
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    vi.useRealTimers()
    await stillWorks()
  })
  afterAll(() => app.close())

  const push = (changes = {}) =>
    post(`${app.issuer}/par`, Object.fromEntries(new URL(authorizeUrl(app, web, changes)).searchParams), basic(web))
  const urlOf = (requestUri: unknown, client = web) =>
    `${app.issuer}/authorize?${query({ client_id: client.client.id, request_uri: String(requestUri) })}`

  test('sign a person in with openid-client', async () => {
    const rp = await relyingParty(app.issuer, web)
    const begun = await rp.begin()
    const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, new URL(begun.url).searchParams)
    expect([...pushed.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
    const tokens = await rp.redeem(await authorize(browserSession(app.issuer), pushed.href), begun)
    expect(tokens.claims()).toMatchObject({ email: 'ada@example.com' })
  })

  test('are answered with 201, a URN and at most a minute', async () => {
    const answer = await push()
    expect(answer.status).toBe(201)
    expect(answer.json['request_uri']).toMatch(/^urn:ietf:params:oauth:request_uri:/)
    expect(answer.json['expires_in']).toBeOneOf([59, 60])
    expect(answer.headers.get('cache-control')).toContain('no-store')
  })

  test('A13 are refused where the client cannot prove itself, or the request is not in order', async () => {
    const anonymous = await post(`${app.issuer}/par`, Object.fromEntries(new URL(authorizeUrl(app, web)).searchParams))
    expectNothingGiven(anonymous)
    expect(anonymous.status).toBe(401)
    for (const changes of [
      { redirect_uri: 'https://evil.example' },
      { response_type: 'token' },
      { code_challenge_method: 'plain' },
      { request_uri: 'urn:x' },
      { scope: 'openid nonsense', response_type: undefined },
    ]) {
      const answer = await push(changes)
      expectNothingGiven(answer)
      expect([answer.status, answer.json['request_uri']]).toEqual([400, undefined])
    }
  })

  test('A13 belong to the client that pushed them', async () => {
    const { json } = await push()
    const page = await browserSession(app.issuer).open(urlOf(json['request_uri'], other))
    expectNothingGiven(page)
    expect(page.status === 400 ? errorOf(page) : locationOf(page).searchParams.get('error')).toMatch(/^invalid_/)
    expect((await browserSession(app.issuer).open(urlOf(json['request_uri']))).body).toContain('id="sign-in"')
  })

  test('A13 give one code', async () => {
    const { json } = await push()
    const browser = browserSession(app.issuer)
    expect((await authorize(browser, urlOf(json['request_uri']))).searchParams.get('code')).toBeTruthy()
    for (const again of [browser, browserSession(app.issuer)]) {
      const page = await again.open(urlOf(json['request_uri']))
      expectNothingGiven(page, { signedIn: true })
      expect([page.status, errorOf(page)]).toEqual([400, 'invalid_request_uri'])
    }
  })

  test('A13 end after their minute', async () => {
    const { json } = await push()
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 80_000)
    const page = await browserSession(app.issuer).open(urlOf(json['request_uri']))
    expectNothingGiven(page)
    expect([page.status, errorOf(page)]).toEqual([400, 'invalid_request_uri'])
  })

  test('take nothing from the query that was not pushed', async () => {
    const { json } = await push({ scope: 'openid' })
    const callback = await authorize(
      browserSession(app.issuer),
      `${urlOf(json['request_uri'])}&scope=openid+email+groups&redirect_uri=https://evil.example&state=other`,
    )
    expect(callback.origin).toBe('http://localhost:9')
    expect(callback.searchParams.get('state')).toBe('a-state')
  })
})
