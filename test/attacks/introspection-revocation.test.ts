// Introspection and revocation: a token's content is for the client that it was issued to, and so is its end.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import {
  basic,
  bystander,
  expectNothingGiven,
  post,
  refresh,
  tokensFor,
  userinfo,
  type Tokens,
} from '../support/protocol.ts'

describe.each(databases)('introspection and revocation on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let other: RegisteredClient
  let spa: RegisteredClient
  let tokens: Tokens
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services)
    other = await createClient(app.services)
    spa = await createClient(app.services, { type: 'spa' })
    tokens = await tokensFor(app, web, { scope: 'openid email offline_access', prompt: 'consent' })
    stillWorks = await bystander(app)
  })
  afterEach(() => stillWorks())
  afterAll(() => app.close())

  const ask = (path: string, client: RegisteredClient | undefined, token: string, more = {}) =>
    post(`${app.issuer}${path}`, { token, ...more }, client ? basic(client) : {})

  test('A67 refuses who does not say, or cannot prove, who they are', async () => {
    for (const attempt of [
      ask('/introspect', undefined, tokens.accessToken),
      ask('/introspect', undefined, tokens.accessToken, { client_id: web.client.id }),
      ask('/introspect', { ...web, secret: 'wrong' }, tokens.accessToken),
    ]) {
      const answer = await attempt
      expectNothingGiven(answer)
      expect([400, 401]).toContain(answer.status)
      expect(answer.body).not.toContain('active')
    }
  })

  test('A67 tells a client that the token was not issued to nothing but that it is not active', async () => {
    for (const token of [tokens.accessToken, tokens.refreshToken, 'unknown', 'x'.repeat(10_000)]) {
      for (const more of [
        {},
        { token_type_hint: 'access_token' },
        { token_type_hint: 'refresh_token' },
        { token_type_hint: 'nonsense' },
      ]) {
        const answer = await ask('/introspect', other, token, more)
        expectNothingGiven(answer)
        expect([answer.status, answer.json]).toEqual([200, { active: false }])
      }
    }
    const aboutIdToken = await ask('/introspect', other, tokens.idToken)
    expectNothingGiven(aboutIdToken)
    expect(aboutIdToken.json).not.toMatchObject({ active: true })
    const fromPublic = await ask('/introspect', undefined, tokens.accessToken, { client_id: spa.client.id })
    expectNothingGiven(fromPublic)
    expect(fromPublic.status === 401 || fromPublic.json['active'] === false).toBe(true)
    expect((await ask('/introspect', web, tokens.accessToken)).json).toMatchObject({
      active: true,
      client_id: web.client.id,
    })
  })

  test("A68 leaves another client's tokens alone, and tells nobody whether they exist", async () => {
    const answers = []
    for (const token of [tokens.accessToken, tokens.refreshToken, 'unknown', 'x'.repeat(5_000)]) {
      for (const more of [{}, { token_type_hint: 'refresh_token' }, { token_type_hint: 'access_token' }]) {
        for (const client of [other, { ...spa, secret: undefined }]) {
          const answer = await ask(
            '/revoke',
            client,
            token,
            client === other ? more : { ...more, client_id: spa.client.id },
          )
          expectNothingGiven(answer)
          answers.push(`${answer.status} ${answer.body}`)
        }
      }
    }
    expect(new Set(answers)).toEqual(new Set(['200 ']))
    expect((await userinfo(app, tokens.accessToken)).status).toBe(200)
    expect((await refresh(app, web, tokens.refreshToken)).status).toBe(200)
  })

  test('A68 ends the whole grant when a client revokes a token of its own', async () => {
    for (const kind of ['accessToken', 'refreshToken'] as const) {
      const own = await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' })
      expect((await ask('/revoke', web, own[kind])).status).toBe(200)
      expect((await userinfo(app, own.accessToken)).status).toBe(401)
      expect((await refresh(app, web, own.refreshToken)).json['error']).toBe('invalid_grant')
      expect((await ask('/introspect', web, own.accessToken)).json).toEqual({ active: false })
      expect((await ask('/revoke', web, own[kind])).status).toBe(200)
    }
  })
})
