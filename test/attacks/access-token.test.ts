// Access tokens: what may be shown as one, where it may stand, and what no header of a JWT can talk us into.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import {
  basic,
  bearer,
  bystander,
  claimsIn,
  expectNothingGiven,
  post,
  query,
  redeem,
  refresh,
  send,
  token,
  tokensFor,
  userinfo,
  type Answer,
  type Tokens,
} from '../support/protocol.ts'

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

describe.each(databases)('access tokens on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let tokens: Tokens
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services)
    tokens = await tokensFor(app, web, { scope: 'openid email offline_access', prompt: 'consent' })
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    await stillWorks()
    expect((await userinfo(app, tokens.accessToken)).status).toBe(200)
  })
  afterAll(() => app.close())

  const ask = (init: RequestInit, parameters = '') => send(`${app.issuer}/userinfo${parameters}`, init)
  const expectRefused = (answer: Answer) => {
    expectNothingGiven(answer)
    expect([400, 401]).toContain(answer.status)
    expect(answer.headers.get('www-authenticate')).toMatch(/Bearer/)
    expect(answer.body).not.toContain('ada@example.com')
  }

  test('A59 takes neither ID token nor refresh token for an access token, and none of them for another thing', async () => {
    for (const other of [tokens.idToken, tokens.refreshToken, '', 'x']) expectRefused(await userinfo(app, other))
    for (const other of [tokens.accessToken, tokens.idToken]) {
      expect((await refresh(app, web, other)).json['error']).toBe('invalid_grant')
      expect((await redeem(app, web, other)).json['error']).toBe('invalid_grant')
      const asserted = await post(`${app.issuer}/token`, {
        grant_type: 'refresh_token',
        refresh_token: tokens.refreshToken,
        client_id: web.client.id,
        client_assertion_type: ASSERTION,
        client_assertion: other,
      })
      expectNothingGiven(asserted)
      expect([400, 401]).toContain(asserted.status)
    }
    expect((await redeem(app, web, tokens.refreshToken)).json['error']).toBe('invalid_grant')
  })

  test('A59 takes the token of a service for nobody', async () => {
    const service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    const { json } = await token(app, service, { grant_type: 'client_credentials' })
    expectRefused(await userinfo(app, String(json['access_token'])))
  })

  test('A60 believes no JWT by what its header says, and fetches nothing it names', async () => {
    let hits = 0
    const canary = createServer((_req, res) => {
      hits += 1
      res.end('{"keys":[]}')
    })
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', () => resolve()))
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/keys`
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const claims = claimsIn(tokens.idToken)
    const signed = (header: Record<string, unknown>) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey)
    const unsigned = (header: unknown) =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${tokens.idToken.split('.')[1] ?? ''}.`
    const forged = [
      unsigned({ alg: 'none' }),
      unsigned({ alg: 'None' }),
      unsigned({ alg: 'RS256', crit: ['x'], x: 1 }),
      unsigned({ alg: ['RS256'] }),
      unsigned([]),
      await signed({ kid: '../../../../etc/passwd' }),
      await signed({ kid: "' or 1=1 --" }),
      await signed({ kid: url }),
      await signed({ jku: url, x5u: url }),
      await signed({ jwk: await exportJWK(publicKey) }),
      '..',
      '....',
      `${'a'.repeat(8_000)}.b.c`,
      `${tokens.idToken}.`,
    ]
    for (const jwt of forged) {
      expectRefused(await userinfo(app, jwt))
      const hinted = await send(
        `${app.issuer}/logout?${query({ id_token_hint: jwt, post_logout_redirect_uri: 'https://evil.example' })}`,
      )
      expectNothingGiven(hinted)
      expect([hinted.status, hinted.headers.get('location')]).toEqual([400, null])
      const about = await post(`${app.issuer}/introspect`, { token: jwt }, basic(web))
      expectNothingGiven(about)
      expect(about.json).not.toMatchObject({ active: true })
    }
    await new Promise((resolve) => canary.close(resolve))
    expect(hits).toBe(0)
  })

  test('A61 takes a token from the header, or alone from a posted body', async () => {
    const answer = await ask({ headers: { authorization: `bearer ${tokens.accessToken}` } })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect((await post(`${app.issuer}/userinfo`, { access_token: tokens.accessToken })).status).toBe(200)
    expect((await ask({ method: 'POST', headers: bearer(tokens.accessToken) })).status).toBe(200)
  })

  test.each<[string, () => Promise<Answer>]>([
    ['in the query', () => ask({}, `?access_token=${tokens.accessToken}`)],
    ['in the query of a POST', () => ask({ method: 'POST' }, `?access_token=${tokens.accessToken}`)],
    [
      'in a cookie',
      () => ask({ headers: { cookie: `access_token=${tokens.accessToken}; latchkey_session=${tokens.accessToken}` } }),
    ],
    [
      'in header and body',
      () => post(`${app.issuer}/userinfo`, { access_token: tokens.accessToken }, bearer(tokens.accessToken)),
    ],
    ['in header and query', () => ask({ headers: bearer(tokens.accessToken) }, `?access_token=${tokens.accessToken}`)],
    [
      'twice in the body',
      () =>
        post(`${app.issuer}/userinfo`, [
          ['access_token', tokens.accessToken],
          ['access_token', tokens.accessToken],
        ]),
    ],
    ['under another scheme', () => ask({ headers: { authorization: `Token ${tokens.accessToken}` } })],
    ['under DPoP', () => ask({ headers: { authorization: `DPoP ${tokens.accessToken}` } })],
    ['without a scheme', () => ask({ headers: { authorization: tokens.accessToken } })],
    ['with a space too many', () => ask({ headers: { authorization: `Bearer  ${tokens.accessToken}` } })],
    [
      'as Basic',
      () => ask({ headers: { authorization: `Basic ${Buffer.from(`x:${tokens.accessToken}`).toString('base64')}` } }),
    ],
    ['nowhere', () => ask({})],
  ])('A61 refuses a token %s', async (_, attempt) => {
    const answer = await attempt()
    expectNothingGiven(answer)
    expect([400, 401]).toContain(answer.status)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(answer.body).not.toContain('ada@example.com')
  })
})
