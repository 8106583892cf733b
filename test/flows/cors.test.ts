// Scripts of other origins: a single-page app reads answers from where it returns to, and nobody else does.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createClient,
  createPerson,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  basic,
  bearer,
  codeFor,
  post,
  redeem,
  send,
  tokensFor,
  VERIFIER,
  type Answer,
} from '../support/protocol.ts'

const OWN = new URL(REDIRECT_URI).origin
const FOREIGN = [
  'https://evil.example',
  'null',
  'http://localhost',
  'http://localhost:90',
  'https://localhost:9',
  'http://localhost:9.evil.example',
]

describe('scripts of other origins', () => {
  let app: TestApp
  let spa: RegisteredClient
  let web: RegisteredClient

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    await createPerson(app.services)
    spa = await createClient(app.services, { type: 'spa' })
    web = await createClient(app.services)
  })
  afterAll(() => app.close())

  const allowed = ({ headers }: Answer) => {
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    return headers.get('access-control-allow-origin')
  }
  const exchange = async (client: RegisteredClient, origin: string) =>
    post(
      `${app.issuer}/token`,
      {
        grant_type: 'authorization_code',
        client_id: client.secret === undefined ? client.client.id : undefined,
        code: await codeFor(app, client),
        redirect_uri: REDIRECT_URI,
        code_verifier: VERIFIER,
      },
      { origin, ...basic(client) },
    )

  test('lets a single-page app redeem, read userinfo and revoke from the origin it returns to', async () => {
    const answer = await exchange(spa, OWN)
    expect([answer.status, allowed(answer)]).toEqual([200, OWN])
    expect(answer.headers.get('vary')).toMatch(/origin/i)
    const about = await send(`${app.issuer}/userinfo`, {
      headers: { origin: OWN, ...bearer(String(answer.json['access_token'])) },
    })
    expect([about.status, allowed(about)]).toEqual([200, OWN])
    const revoked = await post(
      `${app.issuer}/revoke`,
      { token: String(answer.json['access_token']), client_id: spa.client.id },
      { origin: OWN },
    )
    expect([revoked.status, allowed(revoked)]).toEqual([200, OWN])
    const pushed = await post(`${app.issuer}/par`, Object.fromEntries(new URL(authorizeUrl(app, spa)).searchParams), {
      origin: OWN,
    })
    expect([pushed.status, allowed(pushed)]).toEqual([201, OWN])
  })

  test.each(FOREIGN)('A63 lets a script of %s read nothing', async (origin) => {
    for (const client of [spa, web]) {
      const answer = await exchange(client, origin)
      expect(allowed(answer)).toBeNull()
      expect(answer.json).not.toHaveProperty('access_token')
    }
    const { accessToken } = await tokensFor(app, spa)
    const about = await send(`${app.issuer}/userinfo`, { headers: { origin, ...bearer(accessToken) } })
    expect(allowed(about)).toBeNull()
    expect(about.body).not.toContain('ada@example.com')
    for (const path of ['/authorize', '/logout', '/', '/interaction/x', '/introspect']) {
      expect(allowed(await send(app.issuer + path, { headers: { origin } }))).toBeNull()
    }
  })

  test('A63 lets no script speak for a client with a secret, not even from its own origin', async () => {
    expect(allowed(await exchange(web, OWN))).toBeNull()
  })

  test('A63 answers preflights without credentials, and only where scripts have business', async () => {
    const ask = (path: string, method: string) =>
      send(app.issuer + path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://evil.example',
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization',
        },
      })
    for (const path of ['/token', '/userinfo', '/revoke', '/par']) {
      const answer = await ask(path, 'POST')
      expect(answer.status).toBeLessThan(300)
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    }
    for (const path of ['/authorize', '/logout', '/interaction/x/password', '/'])
      expect(allowed(await ask(path, 'POST'))).toBeNull()
  })

  test('serves a program that sends no Origin', async () => {
    expect((await redeem(app, spa, await codeFor(app, spa))).status).toBe(200)
  })
})
