// Whoever loses access loses all of it at once: refresh token, access token, the browser's session, the code under way.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '#core/accounts/account.ts'
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
  codeFor,
  expectNothingGiven,
  redeem,
  refresh,
  token,
  tokensFor,
  userinfo,
  type Tokens,
} from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe.each(databases)('access that is taken away on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let person: Account
  let browser: BrowserSession
  let offline: Tokens
  let bound: Tokens
  let code: string
  let underWay: { browser: BrowserSession; page: Page }
  let parked: { browser: BrowserSession; resume: string }
  let stillWorks: () => Promise<void>
  let count = 0

  beforeAll(async () => {
    app = await startApp(database)
    await app.services.groups.create('readers')
    stillWorks = await bystander(app)
  })
  beforeEach(async () => {
    count += 1
    const username = `person${count}`
    person = await createPerson(app.services, { email: `${username}@example.com`, username, groups: ['readers'] })
    web = await createClient(app.services, { assignment: 'groups', groups: ['readers'] })
    browser = browserSession(app.issuer)
    const consent = await signIn(
      browser,
      await browser.open(authorizeUrl(app, web, { scope: 'openid offline_access', prompt: 'consent' })),
      username,
    )
    await browser.submit(consent, { decision: 'allow' })
    offline = await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' }, browser)
    bound = await tokensFor(app, web, { scope: 'openid' }, browser)
    code = await codeFor(app, web, { scope: 'openid' }, browser)
    const second = browserSession(app.issuer)
    underWay = {
      browser: second,
      page: await signIn(second, await second.open(authorizeUrl(app, web, { prompt: 'consent' })), username),
    }
    expect(underWay.page.body).toContain('id="consent"')
    parked = await parkedSignIn(username)
  })
  afterEach(() => stillWorks())
  afterAll(() => app.close())

  const expectTokensDead = async () => {
    for (const answer of [await userinfo(app, offline.accessToken), await userinfo(app, bound.accessToken)]) {
      expectNothingGiven(answer)
      expect([answer.status, answer.json['error']]).toEqual([401, 'invalid_token'])
    }
    for (const answer of [await refresh(app, web, offline.refreshToken), await redeem(app, web, code)]) {
      expectNothingGiven(answer)
      expect(answer.json['error']).toMatch(/^invalid_(grant|client)$/)
    }
  }
  const expectSessionDead = async () => {
    const none = locationOf(await browser.open(authorizeUrl(app, web, { prompt: 'none' })))
    expect(none.searchParams.get('error')).toBe('login_required')
    expect((await browser.open(authorizeUrl(app, web))).body).toContain('id="sign-in"')
  }
  /** The right password was given, and the way back was not followed. */
  const parkedSignIn = async (username: string) => {
    const third = browserSession(app.issuer)
    const page = await third.open(authorizeUrl(app, web))
    const answer = await third.request(`${page.url}/password`, {
      method: 'POST',
      body: new URLSearchParams({ ...hiddenFields(page.body), username, password: PASSWORD }),
    })
    return { browser: third, resume: locationOf(answer).href }
  }
  const expectNoCodeFromTheOtherBrowser = async () => {
    const resumed = await parked.browser.open(parked.resume)
    expectNothingGiven(resumed)
    expect(resumed.body).not.toContain('id="consent"')
    const page = await underWay.browser.submit(underWay.page, { decision: 'allow' })
    expectNothingGiven(page, { signedIn: true })
  }

  test.each<[string, () => Promise<unknown>]>([
    ['disabled', () => app.services.accounts.disable(person.id)],
    ['deleted', () => app.services.accounts.remove(person.id)],
    ['signed out by an administrator', () => app.services.accounts.signOut(person.id)],
    ['given a new password', () => app.services.accounts.setPassword(person.id, 'another walk along the river')],
  ])('A52 A54 ends all that stands on a person who is %s', async (_, takeAway) => {
    await takeAway()
    await expectTokensDead()
    await expectSessionDead()
    await expectNoCodeFromTheOtherBrowser()
  })

  test('A52 leaves nobody signed in by a password that was taken away while it was checked', async () => {
    const { accounts, database: opened } = app.services
    // times are kept in seconds, and the person was made in this one
    await opened.db.updateTable('accounts').set({ updated_at: 1 }).where('id', '=', person.id).execute()
    const thieves = Array.from({ length: 6 }, () => browserSession(app.issuer))
    const signingIn = thieves.map(async (thief) =>
      signIn(thief, await thief.open(authorizeUrl(app, web)), person.username),
    )
    await Promise.all([accounts.setPassword(person.id, 'a boat under the old bridge'), ...signingIn])
    for (const thief of thieves) {
      const none = await thief.open(authorizeUrl(app, web, { prompt: 'none' }))
      expect(locationOf(none).searchParams.get('error')).toBe('login_required')
    }
  })

  test('A54 lets a person who was disabled neither in again nor on from an old page', async () => {
    await app.services.accounts.disable(person.id)
    const page = await browser.open(authorizeUrl(app, web, { login_hint: person.username ?? '' }))
    expect((await signIn(browser, page, person.username)).status).toBe(422)
    await app.services.accounts.enable(person.id)
    await expectTokensDead()
    expect((await signIn(browser, page, person.username, PASSWORD)).status).toBe(200)
  })

  test('A52 ends the tokens of a person who left the group that the client is open to', async () => {
    await app.services.groups.removeMember('readers', person.id)
    await expectTokensDead()
    const none = locationOf(await browser.open(authorizeUrl(app, web, { prompt: 'none' })))
    expect(none.searchParams.get('error')).toBe('access_denied')
    const page = await browser.open(authorizeUrl(app, web))
    expect([page.status, errorOf(page)]).toEqual([403, 'access_denied'])
    await expectNoCodeFromTheOtherBrowser()
  })

  test.each<[string, () => Promise<unknown>]>([
    ['disabled', () => app.services.clients.disable(web.client.id)],
    ['deleted', () => app.services.clients.remove(web.client.id)],
  ])('A52 ends all that stands on a client that is %s', async (_, takeAway) => {
    await takeAway()
    await expectTokensDead()
    expect((await token(app, web, { grant_type: 'authorization_code', code })).status).toBe(401)
    const page = await browser.open(authorizeUrl(app, web))
    expect([page.status, errorOf(page)]).toEqual([400, 'invalid_client'])
    const consent = await underWay.browser.submit(underWay.page, { decision: 'allow' })
    expectNothingGiven(consent, { signedIn: true })
    expect(consent.status).toBeGreaterThanOrEqual(400)
  })

  test('A52 ends what lives by the session at sign-out, and leaves offline access', async () => {
    const confirm = await browser.open(`${app.issuer}/logout`)
    await browser.submit(confirm, { logout: 'yes' })
    expect((await userinfo(app, bound.accessToken)).status).toBe(401)
    expect((await redeem(app, web, code)).json['error']).toBe('invalid_grant')
    await expectSessionDead()
    expect((await refresh(app, web, offline.refreshToken)).status).toBe(200)
  })
})
