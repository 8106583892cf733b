// One sign-in under way: whose it is, which step is due, and what a posted form may decide.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import {
  browserSession,
  errorOf,
  hiddenFields,
  locationOf,
  type BrowserSession,
  type Page,
} from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  bystander,
  claimsIn,
  expectNothingGiven,
  redeem,
  refresh,
  tokensFor,
  tokensIn,
  userinfo,
} from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

const FORM = 'application/x-www-form-urlencoded'

describe.each(databases)('a sign-in under way on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    await createPerson(app.services, { email: 'eve@example.com', username: 'eve', given_name: 'Eve' })
    web = await createClient(app.services)
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    await stillWorks()
    await app.services.consents.forget((await app.services.accounts.get('ada')).id, web.client.id)
  })
  afterAll(() => app.close())

  const newBrowser = () => browserSession(app.issuer)
  const begin = (browser: BrowserSession, changes = {}) => browser.open(authorizeUrl(app, web, changes))
  const toConsent = async (browser: BrowserSession, changes = {}, username = 'ada') =>
    signIn(browser, await begin(browser, changes), username)
  /** Posts the page's own form, with changes to fields and headers; follows nothing. */
  const postForm = (
    browser: BrowserSession,
    page: Page,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
    url = `${page.url}/password`,
  ) =>
    browser.request(url, {
      method: 'POST',
      body: new URLSearchParams({ ...hiddenFields(page.body), ...fields }),
      headers,
    })

  /** The browser still stands before the step and is signed in nowhere. */
  const expectNothingHappened = async (browser: BrowserSession, answer: Page) => {
    expectNothingGiven(answer)
    const none = await browser.open(authorizeUrl(app, web, { prompt: 'none' }))
    expect(locationOf(none).searchParams.get('error')).toBe('login_required')
  }

  test.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example' }],
    ['the issuer on another port', { origin: 'http://localhost:1' }],
    ['the issuer on https', { origin: 'https://localhost' }],
    ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }],
    ['a same-site fetch', { 'sec-fetch-site': 'same-site' }],
    ['a hidden origin, cross-site', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ])('A21 refuses a sign-in posted from %s', async (_, headers) => {
    const browser = newBrowser()
    const page = await begin(browser)
    const answer = await postForm(browser, page, { username: 'ada', password: PASSWORD }, headers)
    expect([answer.status, errorOf(answer)]).toEqual([403, 'forbidden'])
    await expectNothingHappened(browser, answer)
  })

  test('A21 refuses a consent posted from another site', async () => {
    const browser = newBrowser()
    const page = await toConsent(browser)
    const answer = await postForm(
      browser,
      page,
      { decision: 'allow' },
      { origin: 'https://evil.example' },
      `${page.url}/consent`,
    )
    expect(answer.status).toBe(403)
    expect(locationOf(await browser.submit(page, { decision: 'allow' })).searchParams.get('code')).toBeTruthy()
  })

  test('A21 refuses a form without its token, with an empty one, and with one of another sign-in', async () => {
    const browser = newBrowser()
    const page = await begin(browser)
    const foreign = hiddenFields((await begin(newBrowser())).body)['csrf'] ?? ''
    for (const csrf of ['', 'x', foreign, `${foreign}x`]) {
      const answer = await postForm(browser, page, { username: 'ada', password: PASSWORD, csrf })
      expect(answer.status).toBe(403)
      await expectNothingHappened(browser, answer)
    }
    const without = await browser.request(`${page.url}/password`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada', password: PASSWORD }),
    })
    expect(without.status).toBe(403)
  })

  test.each(['text/plain', 'application/json', 'multipart/form-data; boundary=x', ''])(
    'A21 refuses a form that calls itself %j',
    async (type) => {
      const browser = newBrowser()
      const page = await begin(browser)
      const body = new URLSearchParams({ ...hiddenFields(page.body), username: 'ada', password: PASSWORD }).toString()
      const answer = await browser.request(`${page.url}/password`, {
        method: 'POST',
        body: Buffer.from(body),
        headers: type === '' ? {} : { 'content-type': type },
      })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      await expectNothingHappened(browser, answer)
    },
  )

  test('accepts forms of our own pages: no Origin at all, the issuer, or null as no-referrer makes it', async () => {
    for (const headers of [
      {},
      { origin: new URL(app.issuer).origin, 'sec-fetch-site': 'same-origin' },
      { origin: 'null' },
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ]) {
      const browser = newBrowser()
      const page = await begin(browser)
      expect(
        (await postForm(browser, page, { username: 'ada', password: PASSWORD }, { 'content-type': FORM, ...headers }))
          .status,
      ).toBe(303)
    }
  })

  test('A22 refuses the sign-in of another browser', async () => {
    const mine = newBrowser()
    const theirs = newBrowser()
    const myPage = await begin(mine)
    const theirPage = await begin(theirs)
    for (const answer of [
      await mine.request(theirPage.url),
      await postForm(mine, theirPage, { username: 'ada', password: PASSWORD }),
      await newBrowser().request(theirPage.url),
      // my cookie, their path
      await mine.request(theirPage.url, {
        headers: { cookie: [...mine.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ') },
      }),
    ]) {
      expectNothingGiven(answer)
      expect([answer.status, errorOf(answer)]).toEqual([400, 'expired'])
    }
    for (const [browser, page] of [
      [mine, myPage],
      [theirs, theirPage],
    ] as const)
      expect((await signIn(browser, page)).body).toContain('id="consent"')
  })

  test('A22 refuses a sign-in that is finished, and an id that never was', async () => {
    const browser = newBrowser()
    const page = await begin(browser)
    const saved = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
    await browser.submit(await signIn(browser, page), { decision: 'allow' })
    for (const url of [
      page.url,
      `${app.issuer}/interaction/unknown`,
      `${app.issuer}/interaction/${'x'.repeat(500)}`,
      `${app.issuer}/interaction/%00`,
      `${app.issuer}/interaction/..%2f..`,
    ]) {
      const answer = await newBrowser().request(url, { headers: { cookie: saved } })
      expectNothingGiven(answer)
      expect([400, 404]).toContain(answer.status)
    }
  })

  test('A23 skips no step: consent while sign-in is due, the resume address unfinished, a form sent twice', async () => {
    const browser = newBrowser()
    const page = await begin(browser)
    const skipped = await postForm(browser, page, { decision: 'allow' }, {}, `${page.url}/consent`)
    expect([skipped.status, locationOf(skipped).href]).toEqual([303, page.url])
    const uid = page.url.split('/').at(-1) ?? ''
    const resumed = await browser.open(`${app.issuer}/authorize/${uid}`)
    expectNothingGiven(resumed)
    const unknown = await postForm(browser, page, {}, {}, `${page.url}/nonsense`)
    expect([303, 400, 404]).toContain(unknown.status)
    expectNothingGiven(unknown)

    const fresh = newBrowser()
    const first = await begin(fresh)
    const consent = await signIn(fresh, first)
    const again = await postForm(fresh, first, { username: 'eve', password: PASSWORD })
    expectNothingGiven(again, { signedIn: true })
    const callback = locationOf(await fresh.submit(consent, { decision: 'allow' }))
    const answer = await redeem(app, web, callback.searchParams.get('code') ?? '')
    expect(claimsIn(tokensIn(answer).idToken)['email']).toBe('ada@example.com')
    const backButton = await fresh.submit(consent, { decision: 'allow' })
    expectNothingGiven(backButton)
    expect(backButton.status).toBe(400)
  })

  test('A26 gives a new session id at each sign-in, and a copy of the old one is worth nothing', async () => {
    const browser = newBrowser()
    const page = await begin(browser)
    const planted = [...browser.cookies.values()].filter(({ path }) => path === '/')
    await browser.submit(await signIn(browser, page), { decision: 'allow' })
    const before = [...browser.cookies.values()].find(({ name }) => name.endsWith('_session'))?.value ?? ''
    expect(planted.map(({ value }) => value)).not.toContain(before)
    const signature = [...browser.cookies.values()].find(({ name }) => name.endsWith('_session.sig'))?.value ?? ''
    await signIn(browser, await begin(browser, { prompt: 'login' }))
    const after = [...browser.cookies.values()].find(({ name }) => name.endsWith('_session'))?.value
    expect(after).not.toBe(before)
    const thief = await newBrowser().request(authorizeUrl(app, web, { prompt: 'none' }), {
      headers: { cookie: `latchkey_session=${before}; latchkey_session.sig=${signature}` },
    })
    expect(locationOf(thief).searchParams.get('error')).toBe('login_required')
  })

  test('A27 answers alike for whoever is unknown, disabled, unverified, without a password or from elsewhere', async () => {
    const { accounts } = app.services
    if (!(await accounts.find('sam'))) {
      await accounts.disable((await createPerson(app.services, { email: 'sam@example.com', username: 'sam' })).id)
      await accounts.create({ email: 'kim@example.com', username: 'kim' })
      await createPerson(app.services, { email: 'uma@example.com', username: 'uma', email_verified: false })
      const password_hash = '$2b$04$dtZq9UTwMq7t7Ru1Zt3At.6INlmIm0MjxUAxXTz127hl2vIQ/L7X.'
      await accounts.importPeople([{ email: 'eli@example.com', username: 'eli', password_hash }], { dryRun: false })
    }
    const answers = []
    for (const [username, password] of [
      ['ada', 'wrong password'],
      ['nobody', PASSWORD],
      ['sam', PASSWORD],
      ['kim', PASSWORD],
      ['kim', ''],
      ['uma', 'wrong password'],
      ['eli', PASSWORD],
      ['', PASSWORD],
    ] as const) {
      const browser = newBrowser()
      const answer = await signIn(browser, await begin(browser), username, password)
      expectNothingGiven(answer)
      expect(answer.status).toBe(422)
      const headers = [...answer.headers].filter(
        ([name]) => !['date', 'x-request-id', 'content-length', 'set-cookie'].includes(name),
      )
      const body = answer.body
        .replaceAll(
          /csrf" value="[^"]*"|interaction\/[\w-]+|(?<=name="username" type="text" )value="[^"]*"|<code>\w{12}|autofocus/g,
          '',
        )
        .replaceAll(/\s+/g, ' ')
      answers.push({ body, headers, cookies: [...browser.cookies.values()].map(({ name }) => name) })
    }
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  test('switching accounts ends the session that was there: its cookie, and its tokens that live by it', async () => {
    const browser = newBrowser()
    const bound = await tokensFor(app, web, {}, browser)
    const lasting = await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' }, newBrowser())
    const copy = [...browser.cookies.values()]
      .filter(({ path }) => path === '/')
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    const page = await begin(browser, { prompt: 'login' })
    expect(page.body).toContain('readonly')
    await signIn(browser, page, 'eve')
    const thief = await newBrowser().request(authorizeUrl(app, web, { prompt: 'none' }), { headers: { cookie: copy } })
    expect(locationOf(thief).searchParams.get('error')).toBe('login_required')
    expect((await userinfo(app, bound.accessToken)).status).toBe(401)
    expect((await refresh(app, web, lasting.refreshToken)).status).toBe(200)
  })
})
