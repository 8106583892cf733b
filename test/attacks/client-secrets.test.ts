// Guessing the secrets of clients: how many are looked at, from where, and that no client is locked out by others.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { basic, post, type Answer } from '../support/protocol.ts'

const OF_A_CLIENT = 20

describe.each(databases)('guessing client secrets on $name', (database) => {
  let app: TestApp
  let service: RegisteredClient
  let networks = 0
  let network: string

  beforeAll(async () => {
    app = await startApp(database, { settings: { TRUSTED_PROXIES: '127.0.0.0/8,::1' } })
  })
  beforeEach(async () => {
    service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    network = `198.51.100.${(networks += 1)}`
  })
  afterAll(() => app.close())

  const ask = (client: RegisteredClient, { at = '/token', from = network } = {}): Promise<Answer> =>
    post(
      `${app.issuer}${at}`,
      { grant_type: 'client_credentials', token: 'x' },
      { ...basic(client), 'x-forwarded-for': from },
    )
  const guess = async (times: number, { client }: RegisteredClient = service): Promise<number[]> => {
    const doors = ['/token', '/introspect', '/revoke']
    const statuses: number[] = []
    for (let time = 0; time < times; time += 1)
      statuses.push((await ask({ client, secret: `wrong ${time}` }, { at: doors[time % doors.length] })).status)
    return statuses
  }
  const someLookedAt = (refused: number): number[] => [
    ...Array<number>(OF_A_CLIENT).fill(401),
    ...Array<number>(refused).fill(429),
  ]

  test('A55 lets whoever sent too many wrong ones wait, at whatever endpoint, and takes the right one all the same', async () => {
    expect(await guess(OF_A_CLIENT + 3)).toEqual(someLookedAt(3))
    const wrong = await ask({ ...service, secret: 'wrong' })
    expect(wrong).toMatchObject({ status: 429, json: { error: 'too_many_attempts' } })
    expect(Number(wrong.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ask(service)).status).toBe(200)
  })

  test('A55 makes who guesses at a client that nobody has wait as well', async () => {
    const { client } = service
    const nobody = { client: { ...client, id: `${client.id.slice(0, -1)}_` }, secret: undefined }
    expect(await guess(OF_A_CLIENT + 1, nobody)).toEqual(someLookedAt(1))
  })

  test('A33 locks the client out nowhere else, and no other client of the network', async () => {
    const other = await createClient(app.services, { type: 'service', redirect_uris: [] })
    await guess(OF_A_CLIENT + 1)
    expect((await ask(service, { from: '203.0.113.1' })).status).toBe(200)
    expect((await ask(other)).status).toBe(200)
  })

  test('A55 counts a client once, however its id is spelled', async () => {
    await guess(OF_A_CLIENT)
    const { id } = service.client
    const spelled = `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`
    const authorization = `Basic ${Buffer.from(`${spelled}:wrong`).toString('base64')}`
    const headers = { authorization, 'x-forwarded-for': network }
    const answer = await post(`${app.issuer}/token`, { grant_type: 'client_credentials' }, headers)
    expect(answer.status).toBe(429)
  })

  test('A55 refuses a network that goes through many clients', async () => {
    await guess(1)
    await app.services.database.db.updateTable('attempt_counters').set({ count: 200 }).execute()
    const other = { ...(await createClient(app.services, { type: 'service', redirect_uris: [] })), secret: 'wrong' }
    expect((await ask(other)).status).toBe(429)
    expect((await ask(other, { from: '203.0.113.1' })).status).toBe(401)
  })

  test('A32 looks at no more when they come at once', async () => {
    const wrong = { client: service.client, secret: 'wrong' }
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(wrong)))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(OF_A_CLIENT)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40)
  })
})
