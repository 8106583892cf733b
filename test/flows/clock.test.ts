// F17: the machine's clock jumps while the server runs. What was used stays used, whoever comes is served, and nobody is
// locked out, or in, for ever.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, codeFor, redeem, refresh, tokensFor, tokensIn, userinfo } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

const HOUR = 3_600_000

const jumps = [
  { name: 'two hours ahead', ms: 2 * HOUR },
  { name: 'a day ahead', ms: 24 * HOUR },
  { name: 'ten minutes back', ms: -HOUR / 6 },
  { name: 'an hour back', ms: -HOUR },
  { name: 'past the year 2038', ms: Date.UTC(2038, 1, 1) - Date.now() },
]

describe.each(databases)('with a server on $name', (kind) => {
  let app: TestApp
  let client: RegisteredClient

  beforeAll(async () => {
    app = await startApp(kind)
    await createPerson(app.services)
    client = await createClient(app.services, { first_party: true, refresh_tokens: 'always' })
  })
  afterAll(() => app.close())
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  const jump = (ms: number) => vi.setSystemTime(Date.now() + ms)

  test.each(jumps)('a clock that goes $name revives nothing, and keeps nobody out', async ({ ms }) => {
    const browser = browserSession(app.issuer)
    const code = await codeFor(app, client, {}, browser)
    const { accessToken, refreshToken } = tokensIn(await redeem(app, client, code))
    const successor = tokensIn(await refresh(app, client, refreshToken)).refreshToken
    jump(ms)
    const fresh = await tokensFor(app, client)
    expect((await userinfo(app, fresh.accessToken)).status).toBe(200)
    expect((await refresh(app, client, fresh.refreshToken)).status).toBe(200)
    expect((await userinfo(app, accessToken)).status).toBe(ms < 0 ? 200 : 401)
    for (const back of [0, -ms]) {
      jump(back)
      expect(await redeem(app, client, code)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
      const again = await refresh(app, client, refreshToken)
      expect([undefined, '', successor]).toContain(tokensIn(again).refreshToken)
    }
  })

  test('a lock ends, wherever the clock goes meanwhile', async () => {
    await createPerson(app.services, { username: 'grace', email: 'grace@example.com' })
    const browser = browserSession(app.issuer)
    const page = await browser.open(authorizeUrl(app, client))
    for (let guess = 0; guess < 5; guess += 1) await signIn(browser, page, 'grace', `wrong ${guess}`)
    expect((await signIn(browser, page, 'grace')).status).toBe(429)
    jump(-HOUR / 6)
    expect((await signIn(browser, page, 'grace')).status).toBe(429)
    jump(HOUR / 2)
    const later = browserSession(app.issuer)
    expect((await signIn(later, await later.open(authorizeUrl(app, client)), 'grace')).status).toBe(303)
  })
})
