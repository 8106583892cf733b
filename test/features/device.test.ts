// The pages of the device flow over HTTP: typing a code, what is shown before the confirmation, and the end of guessing.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, hiddenFields, type BrowserSession, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'

/** It has the shape of a code; that it is one has odds of 2^-34. */
const WRONG = 'BBBB-BBBB'

/** Each test comes from an address of its own, or the guesses of one would count for the next. */
let visitors = 0
const nextAddress = () => `198.51.100.${(visitors += 1)}`

describe.each(databases)('the pages of the device flow on $name', (database) => {
  let app: TestApp
  let television: RegisteredClient

  beforeAll(async () => {
    app = await startApp(database, { settings: { TRUSTED_PROXIES: '127.0.0.1,::1' } })
    await createPerson(app.services)
    television = await createClient(app.services, {
      name: 'Television <b>&',
      type: 'native',
      redirect_uris: [],
      device_flow: true,
      metadata: { client_uri: 'https://tv.example/about' },
    })
  })
  afterAll(() => app.close())
  afterEach(() => vi.useRealTimers())

  const visit = (address = nextAddress()) => browserSession(app.issuer, { 'x-forwarded-for': address })
  const codePage = (browser: BrowserSession) => browser.open(`${app.issuer}/device`)
  const type = async (browser: BrowserSession, userCode: string) =>
    browser.submit(await codePage(browser), { user_code: userCode })

  test('asks for the code with a field that is kind to typing', async () => {
    const page = await codePage(visit())
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const [field = ''] = /<input[^>]*name="user_code"[^>]*>/.exec(page.body) ?? []
    for (const attribute of ['autocomplete="off"', 'autocapitalize="characters"', 'inputmode="text"'])
      expect(field).toContain(attribute)
    expect(page.body).toContain('<form id="device-code" method="post"')
    expect(page.body).not.toContain('<script')
  })

  test.each([
    ['in small letters', (code: string) => code.toLowerCase()],
    ['without its dash', (code: string) => code.replace('-', '')],
    ['with spaces and dashes anywhere', (code: string) => ` ${code.replace('-', '').replaceAll(/\w/g, '$& ')}\u2013 `],
  ])('takes a code %s', async (_how, typed) => {
    const { userCode } = await authorizeDevice(app, television)
    const page = await type(visit(), typed(userCode))
    expect(page.body).toContain('<form id="device-confirm" method="post"')
    expect(page.body).toContain(`<dd class="user-code">${userCode}</dd>`)
  })

  test('A73 shows who asks and from where before anything happens, by link as by hand', async () => {
    const userAgent = `Evil\u00a0\u00e9"><script>alert(1)</script>${'x'.repeat(300)}`
    const { complete, userCode, deviceCode } = await authorizeDevice(app, television, {}, userAgent)
    for (const page of [await visit().open(complete), await type(visit(), userCode)]) {
      expect(page.status).toBe(200)
      expect(page.body).toContain('Television &lt;b&gt;&amp;')
      expect(page.body).toContain('</bdi> of <bdi>tv.example</bdi>, registered with this server')
      expect(page.body).toMatch(/<dd><bdi>(127\.0\.0\.1|::1)<\/bdi><\/dd>/)
      expect(page.body).toContain('Evil?&#34;&gt;&lt;script&gt;')
      expect(page.body).not.toContain('x'.repeat(161))
      expect(page.body).not.toMatch(/<script/)
      expect(page.body).toContain('If somebody sent you the code or a link')
      expect(page.body).toMatch(/<button[^>]*name="confirm" value="yes"/)
      expect(page.body).toMatch(/<button[^>]*name="abort" value="yes"/)
    }
    expect((await pollDevice(app, television, deviceCode)).json['error']).toBe('authorization_pending')
  })

  test('shows the form again for a code that is wrong, missing or used', async () => {
    const browser = visit()
    const wrong = await type(browser, '"><i>nonsense')
    expect([wrong.status, wrong.body]).toEqual([422, expect.stringContaining('There is no such code')])
    expect(wrong.body).toContain(wrong.headers.get('x-request-id'))
    expect(wrong.body).toContain('value="&#34;&gt;&lt;i&gt;nonsense"')
    expect(wrong.body).toContain('role="alert"')
    expect(wrong.body).toContain('<title>Error: Connect a device')
    const missing = await type(browser, '')
    expect([missing.status, missing.body]).toEqual([422, expect.stringContaining('Type the code')])

    const { userCode, complete } = await authorizeDevice(app, television)
    await browser.submit(await type(browser, userCode), { abort: 'yes' })
    for (const used of [await type(browser, userCode), await browser.open(complete)])
      expect([used.status, used.body]).toEqual([422, expect.stringContaining('was used already')])
  })

  test('refuses to confirm without the form of the same browser, and from another site', async () => {
    const { userCode, deviceCode } = await authorizeDevice(app, television)
    const confirmation = await type(visit(), userCode)
    const body = () => new URLSearchParams({ ...hiddenFields(confirmation.body), confirm: 'yes' })
    const post = (browser: BrowserSession, headers: Record<string, string> = {}) =>
      browser.request(`${app.issuer}/device`, { method: 'POST', body: body(), headers })

    const without = await post(visit())
    expect([without.status, without.headers.get('location')]).toEqual([303, `${app.issuer}/device`])
    const lost = await visit().open(`${app.issuer}/device/made-up`)
    expect([lost.status, errorOf(lost)]).toEqual([400, 'session_not_found'])
    const other = visit()
    await codePage(other)
    const stale = await post(other)
    expect([stale.status, stale.body]).toEqual([422, expect.stringContaining('out of date')])
    const foreign = await post(other, { origin: 'https://evil.example' })
    expect([foreign.status, errorOf(foreign)]).toEqual([403, 'forbidden'])
    expect((await pollDevice(app, television, deviceCode)).json['error']).toBe('authorization_pending')
  })

  test('says that the app is gone where its client was disabled meanwhile', async () => {
    const gone = await createClient(app.services, { name: 'Gone', type: 'native', device_flow: true })
    const { complete, userCode } = await authorizeDevice(app, gone)
    await app.services.clients.disable(gone.client.id)
    for (const page of [await visit().open(complete), await type(visit(), userCode)])
      expect([page.status, page.body]).toEqual([422, expect.stringContaining('There is no such code')])
  })

  describe('A71 guessing', () => {
    const calm = (page: Page) => [page.status, errorOf(page)]
    const REFUSED = [429, 'too_many_attempts']

    test('is over after five wrong codes of one browser, also by link, and a right one is not looked at', async () => {
      const { userCode, complete } = await authorizeDevice(app, television)
      const browser = visit()
      for (let guess = 0; guess < 5; guess += 1) expect((await type(browser, WRONG)).status).toBe(422)
      const refused = await type(browser, userCode)
      expect(calm(refused)).toEqual(REFUSED)
      expect(refused.headers.get('cache-control')).toBe('no-store')
      const wait = Number(refused.headers.get('retry-after'))
      expect(wait).toBeGreaterThan(890)
      expect(wait).toBeLessThanOrEqual(900)
      expect(refused.body).toContain('Wait 15 minutes')
      expect(calm(await browser.open(complete))).toEqual(REFUSED)

      vi.useFakeTimers({ toFake: ['Date'] })
      vi.setSystemTime(Date.now() + (wait + 1) * 1_000)
      const next = await authorizeDevice(app, television)
      expect((await type(browser, next.userCode)).body).toContain('id="device-confirm"')
    })

    test('is over for one address with many browsers', async () => {
      const address = nextAddress()
      const pages: Page[] = []
      for (let guess = 0; guess < 8; guess += 1) pages.push(await type(visit(address), WRONG))
      expect(pages.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 429, 429, 429])
    })

    test('is over for one browser with many addresses', async () => {
      const browser = visit()
      const statuses: number[] = []
      for (let guess = 0; guess < 8; guess += 1) {
        const { body, url } = await codePage(browser)
        const fields = new URLSearchParams({ ...hiddenFields(body), user_code: WRONG })
        const headers = { 'x-forwarded-for': nextAddress() }
        statuses.push((await browser.request(url, { method: 'POST', body: fields, headers })).status)
      }
      expect(statuses).toEqual([422, 422, 422, 422, 422, 429, 429, 429])
    })

    test('is over for a network of IPv6 with all its addresses', async () => {
      const statuses: number[] = []
      for (let guess = 0; guess < 7; guess += 1)
        statuses.push((await type(visit(`2001:db8:7:${visitors}::${guess}:1`), WRONG)).status)
      expect(statuses).toEqual([422, 422, 422, 422, 422, 429, 429])
    })

    test('lets no more through at the same moment than one after the other', async () => {
      const address = nextAddress()
      const browsers = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const browser = visit(address)
          return { browser, page: await codePage(browser) }
        }),
      )
      const pages = await Promise.all(browsers.map(({ browser, page }) => browser.submit(page, { user_code: WRONG })))
      expect(pages.filter(({ status }) => status === 422).length).toBe(5)
      expect(pages.filter(({ status }) => status === 429).length).toBe(15)
    })

    test('is not what typing the right code is', async () => {
      const browser = visit()
      for (let device = 0; device < 8; device += 1) {
        const { userCode } = await authorizeDevice(app, television)
        const page = await type(browser, userCode)
        expect((await browser.submit(page, { abort: 'yes' })).status).toBe(200)
      }
    })

    test('is over for everybody after two hundred wrong codes in a quarter of an hour', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      vi.setSystemTime(Date.now() + 3 * 3_600_000)
      const guess = async (address: string) => {
        const statuses: number[] = []
        for (let count = 0; count < 5; count += 1) statuses.push((await type(visit(address), WRONG)).status)
        return statuses
      }
      const statuses: number[] = []
      for (let round = 0; round < 11; round += 1)
        statuses.push(...(await Promise.all([1, 2, 3, 4].map((host) => guess(`203.0.113.${round * 4 + host}`)))).flat())
      expect(statuses.filter((status) => status === 422).length).toBe(200)
      expect(statuses.filter((status) => status === 429).length).toBe(20)
      vi.setSystemTime(Date.now() + 901_000)
      expect((await type(visit(), WRONG)).status).toBe(422)
    }, 60_000)
  })
})
