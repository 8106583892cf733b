// Refresh tokens: who gets one, and how it is renewed.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { claimsIn, refresh, tokensFor, tokensIn, userinfo } from '../support/protocol.ts'

const OFFLINE = { scope: 'openid email offline_access', prompt: 'consent' }

describe.each(databases)('refresh tokens on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient

  beforeAll(async () => {
    app = await startApp(database, {
      settings: { TOKENS_REFRESH_SECONDS: '1000', TOKENS_REFRESH_ABSOLUTE_SECONDS: '2500' },
    })
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  afterAll(() => app.close())

  const later = (seconds: number) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + seconds * 1_000)
  }

  test('come with offline_access and prompt=consent, and not otherwise', async () => {
    expect((await tokensFor(app, web, OFFLINE)).refreshToken).not.toBe('')
    expect((await tokensFor(app, web, { scope: 'openid offline_access' })).refreshToken).toBe('')
    expect((await tokensFor(app, web)).refreshToken).toBe('')
  })

  test('come always, or never, for a client that is set so', async () => {
    const always = await createClient(app.services, { refresh_tokens: 'always' })
    const never = await createClient(app.services, { refresh_tokens: 'never' })
    const { refreshToken } = await tokensFor(app, always)
    expect((await refresh(app, always, refreshToken)).status).toBe(200)
    expect((await tokensFor(app, never, OFFLINE)).refreshToken).toBe('')
  })

  test('come to public clients as well', async () => {
    for (const type of ['spa', 'native']) {
      const client = await createClient(app.services, {
        type,
        redirect_uris: [type === 'native' ? 'http://127.0.0.1/callback' : 'http://localhost:9/callback'],
      })
      const changes = type === 'native' ? { ...OFFLINE, redirect_uri: 'http://127.0.0.1:50003/callback' } : OFFLINE
      const { refreshToken } = await tokensFor(app, client, changes)
      expect(tokensIn(await refresh(app, client, refreshToken)).refreshToken).not.toBe(refreshToken)
    }
  })

  test('are renewed with each use, and carry the sign-in on', async () => {
    const first = await tokensFor(app, web, OFFLINE)
    const answer = await refresh(app, web, first.refreshToken)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.json).toMatchObject({
      token_type: 'Bearer',
      scope: 'openid email offline_access',
      expires_in: app.config.tokens.accessSeconds,
    })
    const second = tokensIn(answer)
    expect(second.accessToken).not.toBe(first.accessToken)
    const { sub, auth_time: authTime, amr } = claimsIn(first.idToken)
    expect(claimsIn(second.idToken)).toMatchObject({ sub, auth_time: authTime, amr, email: 'ada@example.com' })
    expect(claimsIn(second.idToken)['at_hash']).not.toBe(claimsIn(first.idToken)['at_hash'])
    expect((await userinfo(app, second.accessToken)).json).toMatchObject({ sub, email: 'ada@example.com' })
  })

  test('give the same successor again to a client that missed the answer', async () => {
    const { refreshToken } = await tokensFor(app, web, OFFLINE)
    const [once, again] = [
      tokensIn(await refresh(app, web, refreshToken)),
      tokensIn(await refresh(app, web, refreshToken)),
    ]
    expect(again.refreshToken).toBe(once.refreshToken)
    expect((await refresh(app, web, once.refreshToken)).status).toBe(200)
  })

  test('tell the claims of today, not of the sign-in', async () => {
    const { refreshToken } = await tokensFor(app, web, OFFLINE)
    const { id } = await app.services.accounts.get('ada')
    await app.services.accounts.update(id, { email: 'countess@example.com', email_verified: true })
    expect(claimsIn(tokensIn(await refresh(app, web, refreshToken)).idToken)['email']).toBe('countess@example.com')
    await app.services.accounts.update(id, { email: 'ada@example.com', email_verified: true })
  })

  test('end when they were not used for long', async () => {
    const { refreshToken } = await tokensFor(app, web, OFFLINE)
    later(1_000 + 20)
    expect((await refresh(app, web, refreshToken)).json['error']).toBe('invalid_grant')
  })

  test('end after the longest time, however often they were used', async () => {
    let { refreshToken } = await tokensFor(app, web, OFFLINE)
    for (let round = 0; round < 3; round += 1) {
      later(800)
      const answer = await refresh(app, web, refreshToken)
      expect(answer.status).toBe(200)
      refreshToken = tokensIn(answer).refreshToken
    }
    later(150)
    expect((await refresh(app, web, refreshToken)).json['error']).toBe('invalid_grant')
  })
})
