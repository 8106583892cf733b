// Introspection by APIs (RFC 7662): each sees the tokens that were issued for it, and no other token.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { basic, codeFor, post, redeem, token, tokensFor, tokensIn } from '../support/protocol.ts'

const ORDERS = 'https://api.example/orders'
const STOCK = 'https://api.example/stock'

describe.each(databases)('introspection by APIs on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let ordersApi: RegisteredClient
  let stockApi: RegisteredClient
  let ada: string

  beforeAll(async () => {
    app = await startApp(database)
    ada = (await createPerson(app.services)).id
    web = await createClient(app.services)
    ordersApi = await app.services.clients.register({ name: 'Orders', type: 'service' })
    stockApi = await app.services.clients.register({ name: 'Stock', type: 'service' })
  })
  beforeEach(async () => {
    for (const { identifier } of await app.services.apis.list()) await app.services.apis.remove(identifier)
    for (const [identifier, { client }] of [
      [ORDERS, ordersApi],
      [STOCK, stockApi],
    ] as const) {
      await app.services.apis.create({
        identifier,
        scope: 'read',
        format: 'opaque',
        introspection_clients: [client.id],
      })
    }
  })
  afterAll(() => app.close())

  const introspect = async (client: RegisteredClient, accessToken: string) =>
    (await post(`${app.issuer}/introspect`, { token: accessToken }, basic(client))).json
  const forOrders = async () => {
    const code = await codeFor(app, web, { scope: 'openid read', resource: ORDERS })
    return tokensIn(await redeem(app, web, code, { resource: ORDERS })).accessToken
  }
  const INACTIVE = { active: false }

  test('tells the API about a token for it, and the client about its own', async () => {
    const accessToken = await forOrders()
    const told = await introspect(ordersApi, accessToken)
    expect(told).toEqual({
      active: true,
      sub: ada,
      client_id: web.client.id,
      iss: app.issuer,
      aud: ORDERS,
      scope: 'read',
      token_type: 'Bearer',
      iat: expect.any(Number),
      exp: expect.any(Number),
    })
    expect(await introspect(web, accessToken)).toEqual(told)
  })

  test('tells an API about the token of a service', async () => {
    const robot = await app.services.clients.register({ name: 'Robot', type: 'service' })
    const fields = { grant_type: 'client_credentials', resource: ORDERS, scope: 'read' }
    const { accessToken } = tokensIn(await token(app, robot, fields))
    expect(await introspect(ordersApi, accessToken)).toMatchObject({
      active: true,
      client_id: robot.client.id,
      aud: ORDERS,
      scope: 'read',
    })
    expect(await introspect(stockApi, accessToken)).toEqual(INACTIVE)
  })

  test('A52 tells nobody of the token of a person who may not use the client any more', async () => {
    const accessToken = await forOrders()
    await app.services.groups.create('closed')
    await app.services.clients.update(web.client.id, { assignment: 'groups', groups: ['closed'] })
    expect([await introspect(ordersApi, accessToken), await introspect(web, accessToken)]).toEqual([INACTIVE, INACTIVE])
    await app.services.clients.update(web.client.id, { assignment: 'everyone' })
    expect(await introspect(ordersApi, accessToken)).toMatchObject({ active: true })
  })

  test('A67 tells another API, and a client that is none, nothing', async () => {
    const accessToken = await forOrders()
    const stranger = await createClient(app.services)
    expect(await introspect(stockApi, accessToken)).toEqual(INACTIVE)
    expect(await introspect(stranger, accessToken)).toEqual(INACTIVE)
  })

  test('A67 tells an API nothing about tokens for userinfo and refresh tokens', async () => {
    const asked = { scope: 'openid offline_access read', prompt: 'consent', resource: ORDERS }
    const { accessToken, refreshToken } = await tokensFor(app, web, asked)
    expect(await introspect(ordersApi, accessToken)).toEqual(INACTIVE)
    expect(await introspect(ordersApi, refreshToken)).toEqual(INACTIVE)
    expect(await introspect(web, refreshToken)).toMatchObject({ active: true })
  })

  test('calls a token inactive for everybody once its API is gone or closed to its client', async () => {
    const accessToken = await forOrders()
    await app.services.apis.update(ORDERS, { assignment: 'clients', clients: [stockApi.client.id] })
    for (const client of [ordersApi, web]) expect(await introspect(client, accessToken)).toEqual(INACTIVE)
    await app.services.apis.update(ORDERS, { clients: [web.client.id] })
    expect(await introspect(ordersApi, accessToken)).toMatchObject({ active: true })
    await app.services.apis.remove(ORDERS)
    for (const client of [ordersApi, web]) expect(await introspect(client, accessToken)).toEqual(INACTIVE)
  })

  test('tells an API nothing any more from the moment that it may not ask', async () => {
    const accessToken = await forOrders()
    await app.services.apis.update(ORDERS, { introspection_clients: [stockApi.client.id] })
    expect(await introspect(ordersApi, accessToken)).toEqual(INACTIVE)
    expect(await introspect(stockApi, accessToken)).toMatchObject({ active: true })
  })

  test('refuses a JWT, which its API reads itself', async () => {
    await app.services.apis.update(ORDERS, { format: 'jwt' })
    expect(await introspect(ordersApi, await forOrders())).toMatchObject({ error: 'unsupported_token_type' })
  })
})
