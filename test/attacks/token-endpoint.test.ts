// Who may talk to the token endpoint, and what they may ask for there.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import {
  basic,
  bystander,
  codeFor,
  expectNothingGiven,
  post,
  redeem,
  refresh,
  send,
  token,
  tokensFor,
  tokensIn,
  userinfo,
  type Answer,
} from '../support/protocol.ts'

describe.each(databases)('the token endpoint on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let other: RegisteredClient
  let spa: RegisteredClient
  let service: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services)
    other = await createClient(app.services)
    spa = await createClient(app.services, { type: 'spa' })
    service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    vi.useRealTimers()
    await stillWorks()
  })
  afterAll(() => app.close())

  const grant = { grant_type: 'client_credentials' }
  const id = () => service.client.id
  const secret = () => service.secret ?? ''
  const ask = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    post(`${app.issuer}/token`, fields, headers)
  const authorization = (value: string) => ({ authorization: value })
  const pair = (text: string) => authorization(`Basic ${Buffer.from(text).toString('base64')}`)

  const expectRefused = (answer: Answer, ...errors: string[]) => {
    expectNothingGiven(answer)
    expect(answer.json['error']).toBeOneOf(errors)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(answer.json).not.toHaveProperty('access_token')
  }

  test('A55 tells an unknown client and a wrong secret apart to nobody', async () => {
    const tries = [
      pair(`${id()}:wrong`),
      pair('nobody:wrong'),
      pair(`nobody:${secret()}`),
      pair(`${id()}:${secret()}x`),
      pair(`${id()}:${secret().toLowerCase()}`),
    ]
    const answers = await Promise.all(tries.map((headers) => ask(grant, headers)))
    for (const answer of answers) {
      expectRefused(answer, 'invalid_client')
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('Basic')
      expect(withoutId(answer)).toBe(withoutId(answers[0]))
    }
    const [known, unknown] = [await ask(grant, pair(`${id()}:`)), await ask(grant, pair('nobody:'))]
    expectRefused(known, 'invalid_client', 'invalid_request')
    expect(withoutId(known)).toBe(withoutId(unknown))
  })

  test.each<[string, () => Promise<Answer>]>([
    ['the secret in the query', () => post(`${app.issuer}/token?client_id=${id()}&client_secret=${secret()}`, grant)],
    ['Basic and body together', () => ask({ ...grant, client_id: id(), client_secret: secret() }, basic(service))],
    ['Basic of one and id of another', () => ask({ ...grant, client_id: web.client.id }, basic(service))],
    ['a confidential client as a public one', () => ask({ ...grant, client_id: id() })],
    ['base64 that is none', () => ask(grant, authorization('Basic !!!'))],
    ['Basic without a colon', () => ask(grant, pair(id()))],
    ['Basic with nothing', () => ask(grant, authorization('Basic '))],
    ['a scheme that is unknown', () => ask(grant, authorization(`Negotiate ${secret()}`))],
    ['broken percent-encoding', () => ask(grant, pair(`${id()}:%E0%A4%A`))],
    ['a NUL in the id', () => ask({ ...grant, client_id: `${id()}\0`, client_secret: secret() })],
    ['an endless id', () => ask({ ...grant, client_id: 'x'.repeat(20_000), client_secret: 'x' })],
    ['an endless secret', () => ask({ ...grant, client_id: id(), client_secret: 'x'.repeat(20_000) })],
    [
      'an assertion',
      () =>
        ask({
          ...grant,
          client_id: id(),
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: 'a.b.c',
        }),
    ],
    ['a secret from a public client', () => ask({ ...grant, client_id: spa.client.id, client_secret: 'x' })],
    ['no client at all', () => ask(grant)],
    ['SQL for an id', () => ask({ ...grant, client_id: "' or '1'='1", client_secret: 'x' })],
  ])('A55 refuses %s', async (_, attempt) => {
    const answer = await attempt()
    expectRefused(answer, 'invalid_client', 'invalid_request')
    expect(answer.status).toBe(answer.json['error'] === 'invalid_client' ? 401 : 400)
    expect((await token(app, service, grant)).status).toBe(200)
  })

  test('A55 refuses the old secret at once after a new one was made', async () => {
    const rotated = await createClient(app.services, { type: 'service', redirect_uris: [] })
    const { client, secret: fresh } = await app.services.clients.rotateSecret(rotated.client.id)
    expectRefused(await token(app, rotated, grant), 'invalid_client')
    expect((await token(app, { client, secret: fresh }, grant)).status).toBe(200)
  })

  test.each([
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:openid:params:grant-type:ciba',
    '',
    'AUTHORIZATION_CODE',
    'toString',
    '__proto__',
  ])('A58 refuses the grant type %j', async (type) => {
    const fields = {
      grant_type: type,
      username: 'ada',
      password: 'a long walk by the sea',
      assertion: 'x',
      subject_token: 'x',
    }
    for (const client of [web, service, spa])
      expectRefused(
        await token(app, client, fields),
        'unsupported_grant_type',
        'unauthorized_client',
        'invalid_request',
      )
  })

  test('A58 refuses client credentials to every client but services, and codes to services', async () => {
    const refused = ['unauthorized_client', 'invalid_request']
    for (const client of [web, spa]) expectRefused(await token(app, client, grant), ...refused)
    expectRefused(await redeem(app, service, 'x'), ...refused)
    expectRefused(await refresh(app, service, 'x'), ...refused)
    expectRefused(await ask({ ...grant, client_id: spa.client.id }), ...refused)
  })

  test.each(['openid', 'offline_access', 'profile email', 'admin', 'openid admin', '__proto__', '"', ''])(
    'A58 refuses the scope %j to a service',
    async (scope) => {
      const answer = await token(app, service, { ...grant, scope })
      if (scope === '') expect(answer.json).not.toHaveProperty('scope')
      else expectRefused(answer, 'invalid_scope')
    },
  )

  test("A58 gives a service a token that is nobody's", async () => {
    const { accessToken } = tokensIn(await token(app, service, grant))
    const about = await post(`${app.issuer}/introspect`, { token: accessToken }, basic(service))
    expect(about.json).toMatchObject({ active: true, client_id: id() })
    expect(about.json['sub'] ?? id()).toBe(id())
    expect(about.json).not.toHaveProperty('scope')
    const answer = await userinfo(app, accessToken)
    expectNothingGiven(answer)
    expect([answer.status, answer.json['error']]).toEqual([401, 'invalid_token'])
  })

  test('A53 refuses a refresh by another client, for more than was granted, or for another resource', async () => {
    const { refreshToken } = await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' })
    expectRefused(await refresh(app, other, refreshToken), 'invalid_grant')
    expectRefused(await refresh(app, spa, refreshToken), 'invalid_grant')
    expectRefused(await refresh(app, web, refreshToken, { scope: 'openid email' }), 'invalid_scope', 'invalid_grant')
    expectRefused(await refresh(app, web, refreshToken, { scope: 'openid admin' }), 'invalid_scope', 'invalid_grant')
    expectRefused(
      await refresh(app, web, refreshToken, { resource: 'https://api.example' }),
      'invalid_target',
      'invalid_grant',
    )
    const narrower = await refresh(app, web, refreshToken, { scope: 'openid' })
    expect([narrower.status, narrower.json['scope']]).toEqual([200, 'openid'])
  })

  test('A50 ends the whole family where an old refresh token comes back after the window', async () => {
    const first = (await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' })).refreshToken
    const second = tokensIn(await refresh(app, web, first))
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 15_000)
    const third = tokensIn(await refresh(app, web, second.refreshToken))
    expect(third.refreshToken).not.toBe(second.refreshToken)
    expectRefused(await refresh(app, web, first), 'invalid_grant')
    expectRefused(await refresh(app, web, third.refreshToken), 'invalid_grant')
    expect((await userinfo(app, third.accessToken)).status).toBe(401)
  })

  test('answers 404 or 405, not tokens, to another method', async () => {
    const code = await codeFor(app, web)
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await send(`${app.issuer}/token?grant_type=authorization_code&code=${code}`, {
        method,
        headers: basic(web),
      })
      expectNothingGiven(answer)
      expect([404, 405]).toContain(answer.status)
    }
    expect((await redeem(app, web, code)).status).toBe(200)
  })
})

/** The error id is another one each time, and of one length. */
function withoutId(answer: Answer | undefined): string | undefined {
  return answer?.body.replace(/"error_id":"\w{12}"/, '')
}
