// Signing keys change under a running server, and no relying party notices.
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, query, send, tokensFor, userinfo } from '../support/protocol.ts'

const AHEAD_SECONDS = 60

describe.each(databases)('rotation in a running server on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(database, { settings: { KEYS_PUBLISH_AHEAD_SECONDS: String(AHEAD_SECONDS) } })
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true, post_logout_redirect_uris: ['https://rp.example/out'] })
    browser = browserSession(app.issuer)
    await tokensFor(app, web, {}, browser)
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  afterAll(() => app.close())

  const jwks = async () => (await send(`${app.issuer}/.well-known/jwks.json`)).json as unknown as JSONWebKeySet
  const kids = async () => (await jwks()).keys.map(({ kid }) => kid)
  const idToken = async () => (await tokensFor(app, web, { prompt: 'none' }, browser)).idToken
  const kidOf = (jwt: string) => decodeProtectedHeader(jwt).kid
  const later = async (seconds: number) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + seconds * 1_000)
    await app.refreshKeys()
  }

  test('publishes a new key before it signs, changes over by the clock, and keeps old tokens good', async () => {
    const old = await idToken()
    const cached = createLocalJWKSet(await jwks())
    const [rotation] = await app.services.signingKeys.rotate('RS256')
    await app.refreshKeys()
    const fresh = rotation?.key.kid
    expect(await kids()).toContain(fresh)
    const between = await idToken()
    expect(kidOf(between)).toBe(kidOf(old))
    await jwtVerify(between, cached, { issuer: app.issuer })

    const published = createLocalJWKSet(await jwks())
    await later(AHEAD_SECONDS + 1)
    const after = await idToken()
    expect(kidOf(after)).toBe(fresh)
    await jwtVerify(after, published, { issuer: app.issuer })
    const remote = createRemoteJWKSet(new URL(`${app.issuer}/.well-known/jwks.json`))
    for (const jwt of [old, between, after])
      await jwtVerify(jwt, remote, { issuer: app.issuer, audience: web.client.id })

    const hinted = await browser.open(authorizeUrl(app, web, { prompt: 'none', id_token_hint: old }))
    expect(locationOf(hinted).searchParams.get('code')).toBeTruthy()
    const question = await browser.open(
      `${app.issuer}/logout?${query({ id_token_hint: old, post_logout_redirect_uri: 'https://rp.example/out' })}`,
    )
    expect(question.body).toContain('id="logout"')
  })

  test('drops no request while keys change again and again', async () => {
    const outcomes: number[] = []
    let going = true
    const traffic = Array.from({ length: 3 }, async () => {
      const own = browserSession(app.issuer)
      await tokensFor(app, web, {}, own)
      while (going) {
        const { accessToken, idToken: jwt } = await tokensFor(app, web, { prompt: 'none' }, own)
        outcomes.push((await userinfo(app, accessToken)).status)
        await jwtVerify(jwt, createLocalJWKSet(await jwks()), { issuer: app.issuer })
      }
    })
    try {
      for (let round = 0; round < 3; round += 1) {
        await app.services.signingKeys.rotate('ES256')
        await app.refreshKeys()
        const before = outcomes.length
        await vi.waitFor(() => expect(outcomes.length).toBeGreaterThan(before + 3), 20_000)
      }
    } finally {
      going = false
      await Promise.all(traffic)
    }
    expect(new Set(outcomes)).toEqual(new Set([200]))
  })

  test('sees by itself that keys have changed', async () => {
    const [rotation] = await app.services.signingKeys.rotate('EdDSA')
    await expect.poll(kids, { timeout: 20_000, interval: 100 }).toContain(rotation?.key.kid)
  })

  test('takes a key out of the JWKS after everything it signed has ended', async () => {
    const before = await kids()
    const current = kidOf(await idToken())
    await app.services.signingKeys.rotate('RS256')
    await later(AHEAD_SECONDS * 2 + app.config.session.absoluteSeconds + 3_600)
    const now = await kids()
    expect(before).toContain(current)
    expect(now).not.toContain(current)
    expect(now.length).toBeGreaterThanOrEqual(3)
  })
})
