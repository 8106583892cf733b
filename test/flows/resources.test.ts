// Access tokens for APIs (RFC 8707, RFC 9068), as an API sees them: it has the discovery document and nothing else.
import { X509Certificate } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  codeFor,
  expectNothingGiven,
  redeem,
  refresh,
  send,
  token,
  tokensFor,
  tokensIn,
  userinfo,
  type Answer,
} from '../support/protocol.ts'
import { authorize, signIn } from '../support/relying-party.ts'

const ORDERS = 'https://api.example/orders'
const STOCK = 'https://api.example/stock'
const OFFLINE = { scope: 'openid offline_access read', prompt: 'consent', resource: ORDERS }

describe.each(databases)('access tokens for APIs on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let robot: RegisteredClient
  let ada: string

  beforeAll(async () => {
    app = await startApp(database)
    ada = (await createPerson(app.services)).id
    web = await createClient(app.services)
    robot = await app.services.clients.register({ name: 'Robot', type: 'service' })
  })
  beforeEach(async () => {
    for (const { identifier } of await app.services.apis.list()) await app.services.apis.remove(identifier)
    await app.services.apis.create({ identifier: ORDERS, name: 'Orders', scope: 'read write' })
    await app.services.apis.create({ identifier: STOCK, name: 'The stock', scope: 'read count', signing_alg: 'ES256' })
    await app.services.consents.forget(ada, web.client.id)
  })
  afterAll(() => app.close())

  const jwks = async () => {
    const discovery = await send(`${app.issuer}/.well-known/openid-configuration`)
    return jwksShape.parse((await send(z.string().parse(discovery.json['jwks_uri']))).json)
  }
  /** What an API does with a token: signature by kid, typ, iss, aud, exp (RFC 9068 §4). */
  const verified = async (accessToken: string, audience: string) =>
    jwtVerify(accessToken, createLocalJWKSet(await jwks()), { issuer: app.issuer, audience, typ: 'at+jwt' })

  const serviceToken = (fields: Readonly<Record<string, string>> = {}) =>
    token(app, robot, { grant_type: 'client_credentials', resource: ORDERS, ...fields })
  /** The error of a refusal that gives nothing away; undefined where it is none. */
  const refusal = (answer: Answer) => {
    expectNothingGiven(answer)
    return answer.status === 400 ? answer.json['error'] : undefined
  }
  const toConsent = async (browser: BrowserSession, changes: Readonly<Record<string, string>>) =>
    signIn(browser, await browser.open(authorizeUrl(app, web, changes)))

  describe('for a service', () => {
    test('are JWTs that the API can judge alone (RFC 9068 §2)', async () => {
      const answer = await serviceToken({ scope: 'read' })
      expect([answer.status, answer.json]).toEqual([
        200,
        { access_token: expect.any(String), expires_in: 3_600, token_type: 'Bearer', scope: 'read' },
      ])
      const { payload, protectedHeader } = await verified(tokensIn(answer).accessToken, ORDERS)
      expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: expect.any(String) })
      expect(payload).toEqual({
        iss: app.issuer,
        aud: ORDERS,
        client_id: robot.client.id,
        sub: robot.client.id,
        scope: 'read',
        jti: expect.stringMatching(/^[\w-]{20,}$/),
        iat: expect.any(Number),
        exp: (payload.iat ?? 0) + 3_600,
      })
    })

    test.each(['RS256', 'ES256'])(
      'are signed with %s by the key of their kid, whose x5c[0] holds that key',
      async (alg) => {
        await app.services.apis.update(ORDERS, { signing_alg: alg })
        const { accessToken } = tokensIn(await serviceToken())
        const { kid } = decodeProtectedHeader(accessToken)
        const key = (await jwks()).keys.find((candidate) => candidate.kid === kid)
        const certificate = new X509Certificate(Buffer.from(key?.x5c?.[0] ?? '', 'base64'))
        expect(certificate.publicKey.export({ format: 'jwk' })).toEqual(bare(key))
        await expect(jwtVerify(accessToken, certificate.publicKey, { algorithms: [alg] })).resolves.toBeDefined()
      },
    )

    test.each(['EdDSA', 'PS256', 'ES512'])('are signed with %s where the API wants that', async (alg) => {
      await app.services.apis.update(ORDERS, { signing_alg: alg })
      const { accessToken } = tokensIn(await serviceToken())
      expect((await verified(accessToken, ORDERS)).protectedHeader.alg).toBe(alg)
    })

    test('live as long as the API says', async () => {
      await app.services.apis.update(ORDERS, { access_token_seconds: 90 })
      const answer = await serviceToken()
      const { payload } = await verified(tokensIn(answer).accessToken, ORDERS)
      expect([answer.json['expires_in'], (payload.exp ?? 0) - (payload.iat ?? 0)]).toEqual([90, 90])
      expect(payload).not.toHaveProperty('scope')
    })

    test('are opaque where the API wants to be asked', async () => {
      await app.services.apis.update(ORDERS, { format: 'opaque' })
      expect(tokensIn(await serviceToken()).accessToken).toMatch(/^[\w-]{43}$/)
    })

    test.each([
      ['an API that nobody registered', { resource: 'https://api.example/none' }, 'invalid_target'],
      ['an identifier with one more slash', { resource: `${ORDERS}/` }, 'invalid_target'],
      ['a NUL', { resource: `${ORDERS}\0` }, 'invalid_request'],
      ['a fragment (RFC 8707 §2)', { resource: `${ORDERS}#part` }, 'invalid_target'],
      ['a path', { resource: '/orders' }, 'invalid_target'],
      ['a scope that the API does not have', { scope: 'read count' }, 'invalid_scope'],
      ['a scope of OpenID Connect', { scope: 'read openid' }, 'invalid_scope'],
    ])('are refused for %s', async (_, fields, error) => {
      expect(refusal(await serviceToken(fields))).toBe(error)
    })

    test('are refused without an API but with a scope', async () => {
      const fields = { grant_type: 'client_credentials', scope: 'read' }
      expect(refusal(await token(app, robot, fields))).toBe('invalid_scope')
    })

    test('are refused to a client that may not call the API, from the next request on', async () => {
      await app.services.apis.update(ORDERS, { assignment: 'clients', clients: [web.client.id] })
      const refused = await serviceToken()
      expect(refusal(refused)).toBe('invalid_target')
      // it learns no more than for an API that is not there
      const unknown = await serviceToken({ resource: 'https://api.example/none' })
      expect(unknown.json).toEqual({ ...refused.json, error_id: expect.any(String) })
      await app.services.apis.update(ORDERS, { clients: [robot.client.id] })
      expect((await serviceToken()).status).toBe(200)
      await app.services.apis.remove(ORDERS)
      expect(refusal(await serviceToken())).toBe('invalid_target')
    })
  })

  describe('for a person', () => {
    test('come from the code that was asked for the API, after a question that names it', async () => {
      const browser = browserSession(app.issuer)
      const asked = { scope: 'openid read write count', resource: ORDERS }
      const page = await toConsent(browser, asked)
      expect(page.body).toContain('Use “Orders” in your name')
      expect(page.body).toContain('Permissions there: read, write')
      expect(page.body).not.toContain('write, count')
      const code = locationOf(await browser.submit(page, { decision: 'allow' })).searchParams.get('code') ?? ''
      const answer = await redeem(app, web, code, { resource: ORDERS })
      expect([answer.status, answer.json['scope']]).toEqual([200, 'read write'])
      const { payload } = await verified(tokensIn(answer).accessToken, ORDERS)
      expect(payload).toMatchObject({ sub: ada, client_id: web.client.id, scope: 'read write' })
      expect(tokensIn(answer).idToken).not.toBe('')
      expect((await userinfo(app, tokensIn(answer).accessToken)).status).toBe(401)
    })

    test('leave userinfo to a token that is asked without resource', async () => {
      const { accessToken } = await tokensFor(app, web, { scope: 'openid email read', resource: ORDERS })
      expect((await userinfo(app, accessToken)).json).toMatchObject({ sub: ada, email: 'ada@example.com' })
    })

    test('need no resource at the token endpoint where nothing but the API was asked for', async () => {
      const answer = await redeem(
        app,
        web,
        await codeFor(app, web, { scope: 'read', resource: ORDERS, nonce: undefined }),
      )
      expect((await verified(tokensIn(answer).accessToken, ORDERS)).payload).toMatchObject({ sub: ada, scope: 'read' })
      expect(answer.json).not.toHaveProperty('id_token')
    })

    test('come for each API of one request, one by one, from the refresh token', async () => {
      const callback = await authorize(
        browserSession(app.issuer),
        `${authorizeUrl(app, web, { ...OFFLINE, scope: `${OFFLINE.scope} count` })}&resource=${encodeURIComponent(STOCK)}`,
      )
      const code = callback.searchParams.get('code') ?? ''
      const first = tokensIn(await redeem(app, web, code, { resource: ORDERS }))
      expect((await verified(first.accessToken, ORDERS)).payload['scope']).toBe('read')
      const second = tokensIn(await refresh(app, web, first.refreshToken, { resource: STOCK }))
      const { payload, protectedHeader } = await verified(second.accessToken, STOCK)
      expect([protectedHeader.alg, payload['scope']]).toEqual(['ES256', 'count read'])
      const narrowed = await refresh(app, web, second.refreshToken, { resource: STOCK, scope: 'count' })
      expect((await verified(tokensIn(narrowed).accessToken, STOCK)).payload['scope']).toBe('count')
      const third = tokensIn(await refresh(app, web, tokensIn(narrowed).refreshToken))
      expect((await userinfo(app, third.accessToken)).json).toEqual({ sub: ada })
    })

    test('are refused for an API that was not granted, and the refresh token is still good', async () => {
      const { refreshToken } = await tokensFor(app, web, OFFLINE)
      const settings = await app.services.apis.find(ORDERS)
      expect(settings?.scopes).toEqual(['read', 'write'])
      for (const resource of [STOCK, 'https://api.example/none', `${ORDERS}/`])
        expect(refusal(await refresh(app, web, refreshToken, { resource }))).toBe('invalid_target')
      const answer = await refresh(app, web, refreshToken, { resource: ORDERS })
      expect([answer.status, answer.json['scope']]).toEqual([200, 'read'])
      expect(
        refusal(await refresh(app, web, tokensIn(answer).refreshToken, { resource: ORDERS, scope: 'write' })),
      ).toBe('invalid_scope')
      const code = await codeFor(app, web, { scope: 'openid' })
      expect(refusal(await redeem(app, web, code, { resource: ORDERS }))).toBe('invalid_target')
    })

    test('are refused as soon as the API is gone or closed, and the refresh token is still good for userinfo', async () => {
      const { refreshToken } = await tokensFor(app, web, OFFLINE)
      await app.services.apis.update(ORDERS, { assignment: 'clients', clients: [robot.client.id] })
      expect(refusal(await refresh(app, web, refreshToken, { resource: ORDERS }))).toBe('invalid_target')
      await app.services.apis.remove(ORDERS)
      expect(refusal(await refresh(app, web, refreshToken, { resource: ORDERS }))).toBe('invalid_target')
      const { accessToken } = tokensIn(await refresh(app, web, refreshToken))
      expect((await userinfo(app, accessToken)).status).toBe(200)
      const asked = locationOf(await browserSession(app.issuer).open(authorizeUrl(app, web, OFFLINE)))
      expect(asked.searchParams.get('error')).toBe('invalid_target')
    })

    test('are asked about again only for what was not allowed yet', async () => {
      const asked = { scope: 'openid read', resource: ORDERS }
      await codeFor(app, web, asked)
      expect(await app.services.consents.find(ada, web.client.id)).toEqual({
        scopes: ['openid'],
        claims: [],
        resources: { [ORDERS]: ['read'] },
      })
      const browser = browserSession(app.issuer)
      expect(locationOf(await toConsent(browser, asked)).searchParams.get('code')).toBeTruthy()

      const more = await browser.open(authorizeUrl(app, web, { ...asked, scope: 'openid read write' }))
      expect(more.body).toContain('Use “Orders” in your name')
      expect(more.body).not.toContain('Know that it is you')
      const other = await browser.open(authorizeUrl(app, web, { ...asked, resource: STOCK }))
      expect(other.body).toContain('Use “The stock” in your name')
      expect(other.body).not.toContain('Orders')
      const again = await browser.open(authorizeUrl(app, web, { ...asked, prompt: 'consent' }))
      expect(again.body).toContain('Use “Orders” in your name')
      expect(again.body).toContain('Know that it is you')
    })

    test('are asked about even where no scope is, since the audience alone may open doors', async () => {
      await codeFor(app, web, { scope: 'openid' })
      const browser = browserSession(app.issuer)
      const page = await toConsent(browser, { scope: 'openid', resource: ORDERS })
      expect(page.body).toContain('Use “Orders” in your name')
      const none = authorizeUrl(app, web, { scope: 'openid', resource: ORDERS, prompt: 'none' })
      expect(locationOf(await browser.open(none)).searchParams.get('error')).toBe('consent_required')
      const code = locationOf(await browser.submit(page, { decision: 'allow' })).searchParams.get('code') ?? ''
      const { accessToken } = tokensIn(await redeem(app, web, code, { resource: ORDERS }))
      expect((await verified(accessToken, ORDERS)).payload).not.toHaveProperty('scope')
      expect(locationOf(await browser.open(none)).searchParams.get('code')).toBeTruthy()
    })

    test('are not asked about for first-party applications', async () => {
      const own = await createClient(app.services, { first_party: true })
      const browser = browserSession(app.issuer)
      const back = locationOf(
        await signIn(browser, await browser.open(authorizeUrl(app, own, { scope: 'openid write', resource: ORDERS }))),
      )
      const answer = await redeem(app, own, back.searchParams.get('code') ?? '', { resource: ORDERS })
      expect((await verified(tokensIn(answer).accessToken, ORDERS)).payload['scope']).toBe('write')
    })
  })
})

const jwksShape = z.object({
  keys: z.array(z.custom<JWK>((key) => z.looseObject({ kty: z.string() }).safeParse(key).success)),
})

/** The members of a public key itself. */
function bare(jwk: JWK | undefined): JWK {
  const { kty, n, e, crv, x, y } = jwk ?? {}
  return Object.fromEntries(Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined))
}
