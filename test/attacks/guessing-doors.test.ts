// Guessing at other doors than the sign-in, and at several: how much is looked at, from where, and that nobody is locked
// out by others.
import { SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openServices } from '#app/services.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { explaining } from '../support/explain.ts'
import { authorizeUrl, basic, bearer, post, send, type Answer } from '../support/protocol.ts'
import { registering } from '../support/registration.ts'
import { signIn } from '../support/relying-party.ts'

const OF_A_CLIENT = 20
const OF_A_NETWORK = 50
const METRICS_TOKEN = 'the-token-of-who-scrapes-the-metrics'

describe.each(databases)('guessing at other doors on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let service: RegisteredClient
  let networks = 0
  let network: string

  beforeAll(async () => {
    app = await startApp(database, {
      settings: { TRUSTED_PROXIES: '127.0.0.0/8,::1', REGISTRATION: 'token', METRICS_TOKEN },
    })
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
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

  test('A31 counts an address once, however a proxy spells it', async () => {
    await guess(OF_A_CLIENT)
    const wrong = { ...service, secret: 'wrong' }
    for (const from of [`::ffff:${network}`, `::FFFF:${network}`, `::ffff:${network}%${'z'.repeat(8_000)}`])
      expect((await ask(wrong, { from })).status).toBe(429)
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

  describe('a network’s one budget, whatever the door', () => {
    let hosts = 0
    /** Any address of the network that is this test's own. */
    const anywhere = () => ({ 'x-forwarded-for': `2001:db8:0:${networks.toString(16)}::${(hosts += 1).toString(16)}` })

    const doors = {
      password: async () => (await signInAs('wrong', `nobody-${(hosts += 1)}`)).status,
      code: async () => {
        const browser = browserSession(app.issuer, anywhere())
        return (await browser.submit(await browser.open(`${app.issuer}/device`), { user_code: 'BBBB-BBBB' })).status
      },
      secret: async (client: string, secret: string) =>
        (await askAs({ client: { ...service.client, id: client }, secret })).status,
      assertion: async (client: string) => {
        const claims = { iss: client, sub: client, aud: app.issuer, jti: `${(hosts += 1)}` }
        const key = Buffer.alloc(64, 'wrong')
        const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().setExpirationTime('1m')
        const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
        const fields = { client_assertion: await jwt.sign(key), client_assertion_type: type }
        return (await post(`${app.issuer}/token`, { grant_type: 'client_credentials', ...fields }, anywhere())).status
      },
      registration: async (token: string) =>
        (await registering(() => app.issuer, anywhere()).register({ redirect_uris: [] }, token)).status,
      record: async (manager: string) =>
        (await registering(() => app.issuer, anywhere()).read({ id: service.client.id, manager })).status,
      metrics: (token: string) => send(`${app.issuer}/metrics`, { headers: { ...bearer(token), ...anywhere() } }),
    }

    const askAs = (client: RegisteredClient): Promise<Answer> =>
      post(`${app.issuer}/token`, { grant_type: 'client_credentials' }, { ...basic(client), ...anywhere() })
    const signInAs = async (password?: string, name = 'ada', headers = anywhere()): Promise<Page> => {
      const browser = browserSession(app.issuer, headers)
      return signIn(browser, await browser.open(authorizeUrl(app, web)), name, password)
    }
    const times = async <T>(count: number, run: (time: number) => Promise<T>): Promise<Set<T>> => {
      const results = new Set<T>()
      for (let time = 0; time < count; time += 1) results.add(await run(time))
      return results
    }

    test('A30 A31 is used up at three doors and then closed at every other, and takes what is right where nobody guesses', async () => {
      expect(await times(4, doors.password)).toEqual(new Set([422]))
      expect(await times(4, doors.code)).toEqual(new Set([422]))
      const lastOnes = OF_A_NETWORK - 8
      expect(await times(lastOnes, (time) => doors.secret(`client-${time % 3}`, `wrong ${time}`))).toEqual(
        new Set([401]),
      )

      const atMetrics = await doors.metrics('wrong')
      const statuses = [
        await doors.registration('wrong'),
        await doors.record('wrong'),
        atMetrics.status,
        await doors.secret(service.client.id, 'wrong'),
        await doors.assertion(service.client.id),
        await doors.code(),
        (await signInAs()).status,
      ]
      expect(statuses).toEqual(Array(7).fill(429))
      expect((await askAs(service)).status).toBe(200)
      expect((await doors.metrics(METRICS_TOKEN)).status).toBe(200)
      expect(
        locationOf(await signInAs(undefined, 'ada', { 'x-forwarded-for': network })).searchParams.has('code'),
      ).toBe(true)

      const told = await explaining(app)(String(atMetrics.json['error_id']))
      expect(told.stdout).toContain('latchkey audit list --type guessing --since 1h')
      const { items } = await app.services.auditTrail.list({ type: 'guessing', limit: 7 })
      expect(items.map(({ type }) => type)).toEqual(Array(7).fill('guessing.network'))
    })

    test('A30 survives a restart', async () => {
      for (const client of ['one', 'two', 'three']) await times(20, (time) => doors.secret(client, `wrong ${time}`))
      const { services, close } = await openServices(app.config)
      const request = { id: 'elsewhere', clientAddress: anywhere()['x-forwarded-for'] }
      const guess = { request, own: [], advice: {} }
      await expect(services.guesses.count(guess)).rejects.toMatchObject({ rule: 'guessing.network' })
      await close()
    })

    test('is not used up by applications that repeat an old secret, and by none that signs with one', async () => {
      for (const client of ['one', 'two', 'three']) {
        expect(await times(20, () => doors.secret(client, 'the old one'))).toEqual(new Set([401]))
        expect(await doors.secret(client, 'the old one')).toBe(429)
        await times(20, () => doors.assertion(`${client}-signing`))
        expect(await doors.assertion(`${client}-signing`)).toBe(429)
        await times(20, () => doors.registration('an old token'))
      }
      expect(locationOf(await signInAs()).searchParams.has('code')).toBe(true)
    })

    test('is explained, and the audit names it and who was refused', async () => {
      await times(OF_A_CLIENT, () => doors.secret(service.client.id, 'wrong'))
      const { status, json } = await askAs({ ...service, secret: 'wrong' })
      expect(status).toBe(429)
      const { stdout } = await explaining(app)(String(json['error_id']))
      expect(stdout).toContain('guessing.client_secret  too_many_attempts')
      expect(stdout).toContain('So many wrong secrets were sent for this client')
      expect(stdout).toContain(`latchkey client rotate-secret ${service.client.id}`)
      const [row] = await app.services.auditTrail.ofRequest(String(json['error_id']))
      expect(row).toMatchObject({ client_id: service.client.id, rule: 'Too many wrong client secrets came from here.' })
    })

    test('A55 counts wrong proofs for the doctor, which are 404 until then', async () => {
      const now = Math.floor(Date.now() / 1000)
      const prove = async (time: number): Promise<number> =>
        (await send(`${app.issuer}/doctor`, { headers: { ...bearer(`${now}.wrong-${time}`), ...anywhere() } })).status
      expect(await times(OF_A_CLIENT, prove)).toEqual(new Set([404]))
      expect(await prove(OF_A_CLIENT)).toBe(429)
    })

    test('A55 puts a wrong token of the metrics on record, and a missing one is no guess', async () => {
      const { json } = await doors.metrics('wrong')
      expect((await explaining(app)(String(json['error_id']))).stdout).toContain('METRICS_TOKEN')
      expect(
        await times(30, async () => (await send(`${app.issuer}/metrics`, { headers: anywhere() })).status),
      ).toEqual(new Set([401]))
    })
  })
})
