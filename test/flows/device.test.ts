// The device authorization grant (RFC 8628): a device without a browser, a person with one, and a real client library.
import * as oidc from 'openid-client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, type BrowserSession, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { basic, expectNothingGiven, post, refresh, send, tokensIn, userinfo } from '../support/protocol.ts'
import { relyingParty, signIn } from '../support/relying-party.ts'

describe.each(databases)('the device flow on $name', (database) => {
  let app: TestApp
  let television: RegisteredClient

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    television = await createClient(app.services, {
      name: 'Television',
      type: 'native',
      redirect_uris: [],
      metadata: { grant_types: [DEVICE_GRANT, 'refresh_token'], response_types: [] },
    })
  })
  afterAll(() => app.close())
  afterEach(() => vi.useRealTimers())

  /** Types the code and confirms; what follows is sign-in, consent or the end. */
  async function confirm(browser: BrowserSession, userCode: string): Promise<Page> {
    const typed = await browser.submit(await browser.open(`${app.issuer}/device`), { user_code: userCode })
    expect(typed.body).toContain('id="device-confirm"')
    return browser.submit(typed, { confirm: 'yes' })
  }

  async function approve(browser: BrowserSession, userCode: string): Promise<Page> {
    let page = await confirm(browser, userCode)
    if (page.body.includes('id="sign-in"')) page = await signIn(browser, page)
    if (page.body.includes('id="consent"')) page = await browser.submit(page, { decision: 'allow' })
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('Your device is connected')])
    return page
  }

  test('connects a device with openid-client, from discovery to a refreshed token', async () => {
    const { config } = await relyingParty(app.issuer, television)
    expect(config.serverMetadata().device_authorization_endpoint).toBe(`${app.issuer}/device_authorization`)
    expect(config.serverMetadata().grant_types_supported).toContain(DEVICE_GRANT)

    const started = await oidc.initiateDeviceAuthorization(config, { scope: 'openid email offline_access' })
    expect(started).toMatchObject({
      verification_uri: `${app.issuer}/device`,
      verification_uri_complete: `${app.issuer}/device?user_code=${started.user_code}`,
      expires_in: 600,
      interval: 5,
    })
    expect(started.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    const polling = oidc.pollDeviceAuthorizationGrant(config, started)

    const browser = browserSession(app.issuer)
    const passwordPage = await confirm(browser, started.user_code)
    expect(passwordPage.body).toContain('id="sign-in"')
    const consentPage = await signIn(browser, passwordPage)
    expect(consentPage.body).toContain('Stay connected while you are away')
    expect(consentPage.body).not.toContain('Either way you return')
    const done = await browser.submit(consentPage, { decision: 'allow' })
    expect(done.body).toContain('Your device is connected')

    const tokens = await polling
    expect(tokens.claims()).toMatchObject({ aud: television.client.id, email: 'ada@example.com', amr: ['pwd'] })
    expect((await userinfo(app, tokens.access_token)).json).toMatchObject({ sub: tokens.claims()?.sub })
    const again = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(again.access_token).not.toBe(tokens.access_token)
  }, 30_000)

  test('goes on where the person is signed in and has consented, but never without the confirmation', async () => {
    const web = await createClient(app.services, { name: 'Console', device_flow: true })
    expect(web.client.metadata['grant_types']).toEqual(['authorization_code', 'refresh_token', DEVICE_GRANT])
    const browser = browserSession(app.issuer)
    await approve(browser, (await authorizeDevice(app, web)).userCode)
    const second = await authorizeDevice(app, web)
    const opened = await browser.open(second.complete)
    expect(opened.body).toContain('id="device-confirm"')
    expect((await pollDevice(app, web, second.deviceCode)).json).toMatchObject({ error: 'authorization_pending' })
    const done = await browser.submit(opened, { confirm: 'yes' })
    expect(done.body).toContain('Your device is connected')
    expect((await pollDevice(app, web, second.deviceCode)).status).toBe(200)
  })

  test('A72 tells a device that asks too often to slow down, a little more each time', async () => {
    const { deviceCode, userCode } = await authorizeDevice(app, television)
    const errorAfter = async (seconds: number) => {
      vi.setSystemTime(Date.now() + seconds * 1_000)
      const answer = await pollDevice(app, television, deviceCode)
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store'])
      return answer.json['error']
    }
    vi.useFakeTimers({ toFake: ['Date'] })
    expect(await errorAfter(0)).toBe('authorization_pending')
    expect(await errorAfter(5)).toBe('authorization_pending')
    expect(await errorAfter(3)).toBe('slow_down') // 10 seconds from now on
    expect(await errorAfter(8)).toBe('slow_down') // 15
    expect(await errorAfter(13)).toBe('slow_down') // 20
    expect(await errorAfter(20)).toBe('authorization_pending')
    await approve(browserSession(app.issuer), userCode)
    expect((await pollDevice(app, television, deviceCode)).status).toBe(200)
  })

  test('A72 lets one of many polls at the same moment pass', async () => {
    const { deviceCode } = await authorizeDevice(app, television)
    const answers = await Promise.all(Array.from({ length: 20 }, () => pollDevice(app, television, deviceCode)))
    expect(answers.map(({ json }) => String(json['error'])).toSorted()).toEqual([
      'authorization_pending',
      ...Array.from({ length: 19 }, () => 'slow_down'),
    ])
  })

  test('A72 refuses a code of another client, a used one and one that nobody gave', async () => {
    const other = await createClient(app.services, { name: 'Speaker', type: 'native', device_flow: true })
    const { deviceCode, userCode } = await authorizeDevice(app, television)
    await approve(browserSession(app.issuer), userCode)
    const foreign = await pollDevice(app, other, deviceCode)
    expect([foreign.status, foreign.json['error']]).toEqual([400, 'invalid_grant'])
    const { accessToken } = tokensIn(await pollDevice(app, television, deviceCode))
    expect((await userinfo(app, accessToken)).status).toBe(200)
    expect((await pollDevice(app, television, deviceCode)).json['error']).toBe('invalid_grant')
    expect((await userinfo(app, accessToken)).status).toBe(401)
    expect((await pollDevice(app, television, 'made-up')).json['error']).toBe('invalid_grant')
  })

  test('A72 says that a code has expired, to the device and to the person', async () => {
    const { deviceCode, userCode } = await authorizeDevice(app, television)
    const browser = browserSession(app.issuer)
    const confirmPage = await browser.open(`${app.issuer}/device?user_code=${userCode}`)
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 605_000)
    expect((await pollDevice(app, television, deviceCode)).json['error']).toBe('expired_token')
    const late = await browser.submit(confirmPage, { confirm: 'yes' })
    expect([late.status, late.body]).toEqual([422, expect.stringContaining('has expired')])
    expectNothingGiven(late, { signedIn: true })
  })

  test('tells the device that the person said no, at each question', async () => {
    const browser = browserSession(app.issuer)
    const sayNo: readonly ((page: Page) => Promise<Page>)[] = [
      (page) => browser.submit(page, { abort: 'yes' }),
      async (page) => browser.submit(await browser.submit(page, { confirm: 'yes' }), { cancel: 'yes' }),
      async (page) => {
        const consentPage = await signIn(browser, await browser.submit(page, { confirm: 'yes' }))
        return browser.submit(consentPage, { decision: 'deny' })
      },
    ]
    for (const no of sayNo) {
      const { deviceCode, complete } = await authorizeDevice(app, television, { scope: 'openid phone' })
      const page = await no(await browser.open(complete))
      expect([page.status, page.body]).toEqual([200, expect.stringContaining('Nothing was connected')])
      const answer = await pollDevice(app, television, deviceCode)
      expect([answer.status, answer.json['error']]).toEqual([400, 'access_denied'])
      expectNothingGiven(answer)
    }
  })

  test('connects nobody to an app that is not theirs', async () => {
    const closed = await createClient(app.services, {
      name: 'Meeting room',
      type: 'native',
      device_flow: true,
      assignment: 'groups',
    })
    const { deviceCode, userCode } = await authorizeDevice(app, closed)
    const browser = browserSession(app.issuer)
    const page = await signIn(browser, await confirm(browser, userCode))
    expect([page.status, errorOf(page)]).toEqual([403, 'access_denied'])
    const done = await browser.submit(page, { decision: 'return' })
    expect(done.body).toContain('Nothing was connected')
    expect((await pollDevice(app, closed, deviceCode)).json['error']).toBe('access_denied')
  })

  test('ends what it gave without offline access when the person signs out', async () => {
    const web = await createClient(app.services, { name: 'Printer', device_flow: true, refresh_tokens: 'always' })
    const { deviceCode, userCode } = await authorizeDevice(app, web)
    const browser = browserSession(app.issuer)
    await approve(browser, userCode)
    const tokens = tokensIn(await pollDevice(app, web, deviceCode))
    await browser.submit(await browser.open(`${app.issuer}/logout`), { logout: 'yes' })
    expect((await userinfo(app, tokens.accessToken)).status).toBe(401)
    expect((await refresh(app, web, tokens.refreshToken)).json['error']).toBe('invalid_grant')
  })

  test('gives no device codes to a client that is not registered for them, or not itself', async () => {
    const plain = await createClient(app.services, { name: 'Plain', type: 'spa' })
    const refused = await post(`${app.issuer}/device_authorization`, { client_id: plain.client.id, scope: 'openid' })
    expect([refused.status, refused.json['error']]).toEqual([400, 'invalid_request'])
    const web = await createClient(app.services, { name: 'Confidential', device_flow: true })
    const unproven = await post(
      `${app.issuer}/device_authorization`,
      { scope: 'openid' },
      basic({ ...web, secret: 'a guess' }),
    )
    expect([unproven.status, unproven.json['error']]).toEqual([401, 'invalid_client'])
    const read = await send(`${app.issuer}/device_authorization`)
    expect([404, 405]).toContain(read.status)
  })
})
