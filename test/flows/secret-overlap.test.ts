// Two live secrets of one client while it is being given a new one: both authenticate, the newest alone signs.
import { jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { basic, post, tokensFor } from '../support/protocol.ts'

const HOUR = 3_600

describe.each(databases)('two secrets of one client on $name', (database) => {
  let app: TestApp

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
  })
  afterEach(() => void vi.useRealTimers())
  afterAll(() => app.close())

  const service = (method = 'client_secret_basic') =>
    createClient(app.services, {
      type: 'service',
      redirect_uris: [],
      metadata: { token_endpoint_auth_method: method },
    })
  const rotated = (id: string, seconds?: number) =>
    app.services.clients.rotateSecret(id, seconds === undefined ? {} : { overlap_seconds: seconds })

  const byBasic = (client: RegisteredClient) =>
    post(`${app.issuer}/token`, { grant_type: 'client_credentials' }, basic(client))
  const byPost = ({ client, secret }: RegisteredClient) =>
    post(`${app.issuer}/token`, { grant_type: 'client_credentials', client_id: client.id, client_secret: secret })
  const ways = [
    ['client_secret_basic', byBasic],
    ['client_secret_post', byPost],
  ] as const

  test.each(ways)('A55 %s takes both until the overlap is over, and then the new one only', async (method, ask) => {
    const old = await service(method)
    const fresh = await rotated(old.client.id, HOUR)
    for (const client of [old, fresh]) expect((await ask(client)).status).toBe(200)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + (HOUR - 5) * 1000 })
    expect((await ask(old)).status).toBe(200)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 1000 })
    expect((await ask(fresh)).status).toBe(200)
    expect((await ask(old)).json).toMatchObject({ error: 'invalid_client' })
  })

  test('A55 a second rotation ends the oldest, and one without an overlap ends all but the newest', async () => {
    const first = await service()
    const second = await rotated(first.client.id, HOUR)
    const third = await rotated(first.client.id, HOUR)
    const statuses = async () => Promise.all([first, second, third].map(async (one) => (await byBasic(one)).status))
    expect(await statuses()).toEqual([401, 200, 200])
    const last = await rotated(first.client.id)
    expect(await statuses()).toEqual([401, 401, 401])
    expect((await byBasic(last)).status).toBe(200)
  })

  test('A55 a wrong secret is told the same whether a rotation is under way or not', async () => {
    const [quiet, rotating] = [await service(), await service()]
    await rotated(rotating.client.id, HOUR)
    const wrong = ['wrong', '', 'x'.repeat(64), `${rotating.secret}x`]
    for (const secret of wrong) {
      const answers = await Promise.all([quiet, rotating].map(({ client }) => byBasic({ client, secret })))
      const told = answers.map(({ status, json }) => ({ status, json: { ...json, error_id: undefined } }))
      expect(told[1]).toEqual(told[0])
      expect(answers[0]?.status).toBeOneOf([400, 401])
    }
  })

  test('what is signed with the secret is signed with the newest', async () => {
    const old = await createClient(app.services, {
      first_party: true,
      metadata: { id_token_signed_response_alg: 'HS256' },
    })
    const fresh = await rotated(old.client.id, HOUR)
    const { idToken } = await tokensFor(app, old)
    const signedWith = (secret = '') => jwtVerify(idToken, new TextEncoder().encode(secret))
    expect((await signedWith(fresh.secret)).payload.aud).toBe(old.client.id)
    await expect(signedWith(old.secret)).rejects.toThrow('signature verification failed')
  })
})
