// How long a browser stays signed in, and that whoever loses access loses it in every process at once.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Accounts } from '#core/accounts/accounts.ts'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { startCluster, type Cluster } from '../support/processes.ts'
import { authorizeUrl, expectNothingGiven, redeem, tokensIn, userinfo } from '../support/protocol.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
const [first = expect.fail('no database')] = databases

describe.each([
  { offer: 'off', setting: {} },
  { offer: 'offer', setting: { SESSION_REMEMBER: 'offer' } },
])('the session of a browser, with remembering $offer', ({ offer, setting }) => {
  let app: TestApp
  let web: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(first, { settings: setting })
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
  })
  beforeEach(() => {
    browser = browserSession(app.issuer)
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  afterAll(() => app.close())

  /** Signs in; gives the page and the attributes of the session's cookie. */
  const signIn = async (fields: Readonly<Record<string, string>>) => {
    const page = await browser.open(authorizeUrl(app, web))
    const lines: string[] = []
    const noting: BrowserSession['request'] = async (...request) => {
      const answer = await browser.request(...request)
      lines.push(...answer.headers.getSetCookie())
      return answer
    }
    const action = new URL(/action="([^"]*)"/.exec(page.body)?.[1] ?? '', page.url).href
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const body = new URLSearchParams({ csrf, username: 'ada', password: PASSWORD, ...fields })
    await noting(locationOf(await noting(action, { method: 'POST', body })).href)
    const cookie = lines.findLast((line) => line.startsWith('latchkey_session='))
    return { page, cookie: cookie ?? expect.fail('no session was begun') }
  }
  const isSignedIn = async (): Promise<boolean> =>
    locationOf(await browser.open(authorizeUrl(app, web, { prompt: 'none' }))).searchParams.has('code')

  test('A38 ends with the browser and with idleness unless the person wants otherwise', async () => {
    const { page, cookie } = await signIn({})
    expect(page.body.includes('name="remember"')).toBe(offer === 'offer')
    expect(page.body).not.toMatch(/name="remember"[^>]*checked/)
    expect(cookie).not.toMatch(/expires|max-age/i)
    later(9 * HOUR)
    expect(await isSignedIn()).toBe(false)
  })

  test(`A38 ${offer === 'offer' ? 'outlives both where the box is ticked, and still has its end' : 'is remembered for nobody who was not asked'}`, async () => {
    const { cookie } = await signIn({ remember: 'yes' })
    const expires = Date.parse(/expires=([^;]*)/i.exec(cookie)?.[1] ?? '') / 1_000
    if (offer === 'off') {
      expect(expires).toBeNaN()
      later(9 * HOUR)
      expect(await isSignedIn()).toBe(false)
      return
    }
    expect(Math.abs(expires - Date.now() / 1_000 - 7 * DAY)).toBeLessThan(60)
    for (const day of [1, 2, 3]) {
      later(2 * DAY)
      expect([day, await isSignedIn()]).toEqual([day, true])
    }
    later(DAY + HOUR)
    expect(await isSignedIn()).toBe(false)
  })

  test('A26 is not had by whoever planted the cookies of a sign-in in the browser of the person', async () => {
    const page = await browser.open(authorizeUrl(app, web))
    // without the cookie that leads on, so that the person's own browser does not use the sign-in up
    const planted = [...browser.cookies.values()].filter(({ name }) => name.includes('interaction'))
    const body = new URLSearchParams({ ...hiddenFields(page.body), username: 'ada', password: PASSWORD })
    const person = browserSession(app.issuer, {}, planted)
    const proven = locationOf(await person.request(`${page.url}/password`, { method: 'POST', body }))
    for (const path of [proven.pathname, new URL(page.url).pathname.replace('interaction', 'authorize')]) {
      const answer = await browser.request(`${app.issuer}${path}`)
      expect(answer.status).toBe(400)
      expectNothingGiven(answer)
    }
    expect(await isSignedIn()).toBe(false)
  })

  test('A38 ends at its absolute limit, however busy it is', async () => {
    await signIn({})
    for (const step of [...Array<number>(23).fill(7 * HOUR), 7 * HOUR - 10, 8]) {
      later(step)
      expect(await isSignedIn()).toBe(true)
    }
    // within the seconds that the library forgives clocks, each request would give it more of them
    later(8)
    expect(await isSignedIn()).toBe(false)
  })

  test('keeps what was ticked when the password was wrong', async () => {
    const page = await browser.open(authorizeUrl(app, web))
    const again = await browser.submit(page, { username: 'ada', password: 'wrong', remember: 'yes' })
    expect(/name="remember"[^>]*checked/.test(again.body)).toBe(offer === 'offer')
  })
})

describe('the session of a browser at two processes', () => {
  let cluster: Cluster
  let web: RegisteredClient

  beforeAll(async () => {
    cluster = await startCluster(databases.at(-1) ?? first, 2)
    web = await createClient(cluster.services, { first_party: true })
  })
  afterAll(() => cluster.close())

  test.each<[string, (accounts: Accounts, id: string) => Promise<unknown>]>([
    ['signed out everywhere', (accounts, id) => accounts.signOut(id)],
    ['given a new password', (accounts, id) => accounts.setPassword(id, 'a boat under the old bridge')],
    ['disabled', (accounts, id) => accounts.disable(id)],
    ['deleted', (accounts, id) => accounts.remove(id)],
  ])('A110 ends at once in both for a person who is %s', async (what, end) => {
    const { hosts, services } = cluster
    const [one, other] = hosts
    if (!one || !other) throw new Error('the cluster has two hosts')
    const { id } = await createPerson(services)
    const browser = browserSession(one.issuer)
    const signedIn = await browser.submit(await browser.open(authorizeUrl(one, web)), {
      username: 'ada',
      password: PASSWORD,
    })
    const tokens = await redeem(one, web, locationOf(signedIn).searchParams.get('code') ?? '')
    const states = async () => {
      const statuses = []
      for (const host of hosts) {
        const url = authorizeUrl(host, web, { prompt: 'none' })
        const answer = locationOf(await browser.request(url))
        statuses.push(answer.searchParams.get('error') ?? 'signed in')
        statuses.push((await userinfo(host, tokensIn(tokens).accessToken)).status)
      }
      return statuses
    }
    expect([what, ...(await states())]).toEqual([what, 'signed in', 200, 'signed in', 200])
    await end(services.accounts, id)
    expect([what, ...(await states())]).toEqual([what, 'login_required', 401, 'login_required', 401])
    if (await services.accounts.findById(id)) await services.accounts.remove(id)
  })
})

function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + seconds * 1_000)
}
