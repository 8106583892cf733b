// What may be asked at the authorization endpoint, and how: each parameter once, by the book, and nothing smuggled.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, basic, bystander, codeFor, expectNothingGiven, post, tokensFor } from '../support/protocol.ts'

/** The error that reaches the relying party, or the page. */
function refusal(page: Page, signedIn = false): string | undefined {
  expectNothingGiven(page, { signedIn })
  const location = page.headers.get('location')
  if (location === null) {
    expect(page.status).toBe(400)
    return errorOf(page)
  }
  const url = locationOf(page)
  expect(url.hash === '' || url.search === '').toBe(true)
  return (url.hash === '' ? url.searchParams : new URLSearchParams(url.hash.slice(1))).get('error') ?? undefined
}

describe('the authorization request', () => {
  let app: TestApp
  let web: RegisteredClient
  let spa: RegisteredClient
  let withPkce: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    await createPerson(app.services)
    web = await createClient(app.services)
    spa = await createClient(app.services, { type: 'spa' })
    withPkce = await createClient(app.services, { require_pkce: true })
    stillWorks = await bystander(app)
  })
  afterEach(() => stillWorks())
  afterAll(() => app.close())

  const open = (url: string) => browserSession(app.issuer).request(url)
  const ask = (client: RegisteredClient, changes = {}) => open(authorizeUrl(app, client, changes))

  test.each(['client_id', 'redirect_uri', 'scope', 'state', 'code_challenge', 'response_type', 'nonce', 'prompt'])(
    'A6 refuses %s twice, whichever comes first',
    async (name) => {
      const url = authorizeUrl(app, web, { prompt: 'login' })
      const mine = new URL(url).searchParams.get(name) ?? ''
      const other = name === 'redirect_uri' ? 'https://evil.example/cb' : name === 'client_id' ? spa.client.id : 'other'
      const [before = '', after = ''] = url.split('?')
      for (const page of [
        await open(`${url}&${name}=${encodeURIComponent(other)}`),
        await open(`${before}?${name}=${encodeURIComponent(other)}&${after}`),
        await open(`${url}&${name}=${encodeURIComponent(mine)}`),
      ]) {
        expect(refusal(page)).toMatch(/^invalid_(request|client|redirect_uri)$/)
        expect(page.headers.get('location') ?? '').not.toContain('evil.example')
      }
    },
  )

  test('refuses a sign-in without nonce, pushed or not, of a client that demands one', async () => {
    const strict = await createClient(app.services, { metadata: { require_nonce: true } })
    const request = new URL(authorizeUrl(app, strict))
    request.searchParams.delete('nonce')
    expect(refusal(await open(request.href))).toBe('invalid_request')
    const pushed = await post(`${app.issuer}/par`, Object.fromEntries(request.searchParams), basic(strict))
    expect([pushed.status, pushed.json['error']]).toEqual([400, 'invalid_request'])
    expect(locationOf(await ask(strict)).pathname).toMatch(/^\/interaction\//)
  })

  test('A6 refuses a parameter in the query and again in the body', async () => {
    const [address = '', parameters = ''] = authorizeUrl(app, web).split('?')
    const browser = browserSession(app.issuer)
    const page = await browser.request(`${address}?redirect_uri=https://evil.example/cb`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    })
    expect(refusal(await browser.open(locationOf(page).href))).toMatch(/^invalid_/)
    expect(
      (await browser.request(address, { method: 'POST', body: new URLSearchParams(`${parameters}&state=b`) })).status,
    ).toBe(400)
  })

  test('takes a posted request, as OpenID Connect Core 3.1.2.1 demands', async () => {
    const [address = '', parameters = ''] = authorizeUrl(app, web).split('?')
    const browser = browserSession(app.issuer)
    const page = await browser.request(address, {
      method: 'POST',
      body: new URLSearchParams(parameters),
      headers: { origin: 'https://rp.example', 'sec-fetch-site': 'cross-site' },
    })
    expect((await browser.open(locationOf(page).href)).body).toContain('id="sign-in"')
  })

  test.each([
    'token',
    'id_token',
    'code id_token',
    'none',
    'code token',
    'id_token token',
    'code id_token token',
    'nonsense',
    'CODE',
    '',
  ])('A8 refuses response_type %j', async (type) => {
    expect(refusal(await ask(web, { response_type: type }))).toMatch(
      type === '' ? 'invalid_request' : /^(unsupported_response_type|unauthorized_client)$/,
    )
    const pushed = await post(
      `${app.issuer}/par`,
      Object.fromEntries(new URL(authorizeUrl(app, spa, { response_type: type })).searchParams),
    )
    expectNothingGiven(pushed)
    expect([pushed.status, pushed.json['request_uri']]).toEqual([400, undefined])
  })

  test('A9 refuses a public client, and one set to it, that sends no challenge', async () => {
    for (const client of [spa, withPkce]) {
      expect(refusal(await ask(client, { code_challenge: undefined, code_challenge_method: undefined }))).toBe(
        'invalid_request',
      )
      expect(refusal(await ask(client, { code_challenge: '' }))).toBe('invalid_request')
    }
    expect((await ask(web, { code_challenge: undefined, code_challenge_method: undefined })).status).toBe(303)
  })

  test.each([
    ['plain', { code_challenge_method: 'plain' }],
    ['no method', { code_challenge_method: undefined }],
    ['an empty method', { code_challenge_method: '' }],
    ['an unknown method', { code_challenge_method: 'S512' }],
    ['a method alone', { code_challenge: undefined }],
    ['42 characters', { code_challenge: 'a'.repeat(42) }],
    ['129 characters', { code_challenge: 'a'.repeat(129) }],
    ['a reserved character', { code_challenge: `${'a'.repeat(42)}+` }],
    ['a letter beyond ASCII', { code_challenge: `${'a'.repeat(42)}\u00e9` }],
  ])('A10 refuses a PKCE challenge with %s', async (_, changes) => {
    for (const client of [spa, web]) expect(refusal(await ask(client, changes))).toBe('invalid_request')
  })

  test('A11 refuses every request_uri that it did not make, and fetches none', async () => {
    let hits = 0
    const canary = createServer((_req, res) => {
      hits += 1
      res.end('{}')
    })
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', () => resolve()))
    const { port } = canary.address() as AddressInfo
    for (const uri of [
      `http://127.0.0.1:${port}/x`,
      `https://127.0.0.1:${port}/x`,
      'file:///etc/passwd',
      'urn:ietf:params:oauth:request_uri:unknown',
      'urn:x',
      'x'.repeat(600),
    ]) {
      expect(refusal(await ask(web, { request_uri: uri }))).toMatch(
        /^(request_uri_not_supported|invalid_request_uri|invalid_request)$/,
      )
    }
    await new Promise((resolve) => canary.close(resolve))
    expect(hits).toBe(0)
  })

  test('A12 refuses request objects that nobody signed, or that would smuggle something in', async () => {
    const claims = {
      client_id: web.client.id,
      redirect_uri: 'https://evil.example/cb',
      response_type: 'code',
      scope: 'openid',
    }
    const objects = [
      new UnsecuredJWT(claims).setIssuer(web.client.id).setAudience(app.issuer).encode(),
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(web.client.id)
        .setAudience(app.issuer)
        .sign(new TextEncoder().encode(web.secret)),
      'e30.e30.',
      'not a token',
    ]
    for (const request of objects) {
      const page = await ask(web, { request })
      expect(refusal(page)).toMatch(/^(invalid_redirect_uri|invalid_request_object)$/)
      expect(page.headers.get('location') ?? '').not.toContain('evil')
    }
  })

  test('A15 is honest about prompt, max_age and acr', async () => {
    expect(refusal(await ask(web, { prompt: 'none' }))).toBe('login_required')
    expect(refusal(await ask(web, { prompt: 'none login' }))).toBe('invalid_request')
    const browser = browserSession(app.issuer)
    await codeFor(app, web, {}, browser)
    const again = async (changes: Record<string, string>) => (await browser.open(authorizeUrl(app, web, changes))).body
    expect(await again({ prompt: 'login' })).toContain('id="sign-in"')
    expect(await again({ max_age: '0' })).toContain('id="sign-in"')
    expect(refusal(await browser.open(authorizeUrl(app, web, { max_age: '0', prompt: 'none' })), true)).toBe(
      'login_required',
    )
    const essential = JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:example:gold'] } } })
    expect(refusal(await browser.open(authorizeUrl(app, web, { claims: essential, prompt: 'none' })), true)).toMatch(
      /^(login_required|access_denied|unmet_authentication_requirements)$/,
    )
  })

  test('A16 believes no hint that it did not sign for this client', async () => {
    const other = await createClient(app.services, { first_party: true })
    const browser = browserSession(app.issuer)
    const { idToken } = await tokensFor(app, web, {}, browser)
    const foreign = (await tokensFor(app, other)).idToken
    const [header = '', payload = '', signature = ''] = idToken.split('.')
    const forged = [
      `${header}.${Buffer.from('{"sub":"x"}').toString('base64url')}.${signature}`,
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      `${header}.${payload}.${'A'.repeat(signature.length)}`,
      await new SignJWT({ sub: 'x' })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(app.issuer)
        .setAudience(web.client.id)
        .sign(new TextEncoder().encode('0'.repeat(32))),
      'nonsense',
      foreign,
    ]
    for (const hint of forged) {
      expect(
        refusal(await browser.open(authorizeUrl(app, web, { id_token_hint: hint, prompt: 'none' })), true),
        hint,
      ).toMatch(/^(invalid_request|login_required)$/)
    }
    expect(
      locationOf(
        await browser.open(authorizeUrl(app, web, { id_token_hint: idToken, prompt: 'none' })),
      ).searchParams.get('code'),
    ).toBeTruthy()
  })

  test('A18 names itself in answers of both kinds', async () => {
    for (const page of [
      await ask(web, { prompt: 'none' }),
      await ask(web, { response_type: 'token' }),
      await ask(web, { scope: 'openid', claims: '{' }),
    ]) {
      expect(locationOf(page).href).toContain(`iss=${encodeURIComponent(app.issuer)}`)
    }
  })
})
