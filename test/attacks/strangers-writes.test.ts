// Whoever has not signed in cannot fill the disk with sign-ins that wait, and keeps nobody else from signing in.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boundStrangersWrites } from '#oidc/strangers-writes.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, basic, codeFor, post, type Answer } from '../support/protocol.ts'

describe('what strangers have stored', () => {
  let app: TestApp
  let web: RegisteredClient
  let spa: RegisteredClient

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'), {
      settings: { TRUSTED_PROXIES: '127.0.0.0/8,::1' },
      // the product's own takes a minute to use up
      more: [{ word: 'tighter', routes: () => boundStrangersWrites({ bytes: 4_000_000, bytesPerSecond: 100_000 }) }],
    })
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
    spa = await createClient(app.services, { type: 'spa' })
  })
  afterAll(() => app.close())

  /** A pushed request of 50 kB, by whoever says to be the client. */
  const push = (client: RegisteredClient, from: string) => {
    const fields = Object.fromEntries(new URL(authorizeUrl(app, client)).searchParams)
    const headers = { 'x-forwarded-for': from, ...basic(client) }
    return post(`${app.issuer}/par`, { ...fields, state: 'x'.repeat(50_000) }, headers)
  }

  test('F35 is bounded by what it takes, for each network; nobody elsewhere and no client with a secret notices', async () => {
    const browser = browserSession(app.issuer, { 'x-forwarded-for': '2001:db8::1' })
    await codeFor(app, web, {}, browser)

    const refused: Answer[] = []
    let stored = 0
    const flood = async (): Promise<void> => {
      while (refused.length === 0 && stored < 300) {
        const answer = await push(spa, `2001:db8::${stored + 1}`)
        if (answer.status === 201) stored += 1
        else refused.push(answer)
      }
    }
    await Promise.all(Array.from({ length: 8 }, flood))
    // 4 MB at once, and what flows in meanwhile
    expect(stored).toBeGreaterThan(75)
    expect(refused[0]).toMatchObject({ status: 429, json: { error: 'too_many_attempts' } })
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)

    expect((await push(spa, '198.51.100.2')).status).toBe(201)
    for (let times = 0; times < 10; times += 1) expect((await push(web, '198.51.100.3')).status).toBe(201)
    expect(locationOf(await browser.open(authorizeUrl(app, web))).searchParams.has('code')).toBe(true)
  })

  test('is a sign-in that waits half an hour while nobody has acted on it', async () => {
    await browserSession(app.issuer).open(authorizeUrl(app, web))
    const { latest } = await app.services.database.db
      .selectFrom('artifacts')
      .select(({ fn }) => fn.max('expires_at').as('latest'))
      .where('model', '=', 'Interaction')
      .executeTakeFirstOrThrow()
    expect(latest).toBeLessThanOrEqual(Math.floor(Date.now() / 1000) + 1_800)
  })
})
