// One browser, several tabs: each sign-in that was answered works, whatever the other tabs did at the same moment.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { authorizeUrl, codeFor, redeem, refresh, tokensIn, userinfo } from '../support/protocol.ts'

describe.each(databases)('tabs of one browser on $name', (kind) => {
  let app: TestApp
  let home: RegisteredClient

  beforeAll(async () => {
    app = await startApp(kind)
    await createPerson(app.services)
    home = await createClient(app.services, { name: 'Home', first_party: true })
  })
  afterAll(() => app.close())

  const signedIn = async (): Promise<BrowserSession> => {
    const browser = browserSession(app.issuer)
    await browser.submit(await browser.open(authorizeUrl(app, home)), { username: 'ada', password: PASSWORD })
    return browser
  }
  const clientsFor = (count: number, more: Record<string, unknown>) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        createClient(app.services, { name: `App ${index}`, refresh_tokens: 'always', ...more }),
      ),
    )

  /** Redeems the code, and shows that each of its tokens works. */
  const expectWorking = async (client: RegisteredClient, code: string): Promise<void> => {
    const answer = await redeem(app, client, code)
    expect(answer.status, answer.body).toBe(200)
    const { accessToken, refreshToken } = tokensIn(answer)
    expect((await userinfo(app, accessToken)).status).toBe(200)
    expect((await refresh(app, client, refreshToken)).status).toBe(200)
  }

  test('for different applications at the same moment all sign in', async () => {
    const browser = await signedIn()
    const clients = await clientsFor(8, { first_party: true })
    const codes = await Promise.all(clients.map((client) => codeFor(app, client, {}, browser)))
    for (const [index, client] of clients.entries()) await expectWorking(client, codes[index] ?? '')
  })

  test('for the same application at the same moment all sign in', async () => {
    const browser = await signedIn()
    for (const client of await clientsFor(3, { first_party: true })) {
      const codes = await Promise.all(Array.from({ length: 6 }, () => codeFor(app, client, {}, browser)))
      for (const code of codes) await expectWorking(client, code)
    }
  })

  test('in which consent is given one after another to the same application all sign in', async () => {
    const browser = await signedIn()
    for (const client of await clientsFor(1, {})) {
      const pages = [await browser.open(authorizeUrl(app, client)), await browser.open(authorizeUrl(app, client))]
      const codes: string[] = []
      for (const page of pages) {
        const answer = await browser.submit(page, { decision: 'allow' })
        codes.push(new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '')
      }
      for (const code of codes) await expectWorking(client, code)
    }
  })

  test('of a person who is signed out meanwhile do not bring the session back', async () => {
    for (let round = 0; round < 3; round += 1) {
      const browser = await signedIn()
      const clients = await clientsFor(5, { first_party: true })
      const opened = Promise.allSettled(clients.map((client) => browser.open(authorizeUrl(app, client))))
      const ada = await app.services.accounts.find('ada')
      await app.services.artifacts.removeByAccount(ada?.id ?? '')
      await opened
      const page = await browser.open(authorizeUrl(app, home, { prompt: 'none' }))
      expect(page.headers.get('location')).toContain('error=login_required')
    }
  })

  test('A110 of a person who is signed out meanwhile end with what was being allowed in them', async () => {
    const ada = await app.services.accounts.find('ada')
    const [third] = await clientsFor(1, {})
    const [tv] = await clientsFor(1, { first_party: true, device_flow: true })
    if (!third || !tv) throw new Error('no client')
    for (let round = 0; round < 4; round += 1) {
      const browser = await signedIn()
      const consent = await browser.open(authorizeUrl(app, third, { prompt: 'consent' }))
      const device = await authorizeDevice(app, tv, { scope: 'openid offline_access' })
      const other = browserSession(app.issuer, {}, [...browser.cookies.values()])
      const confirm = await other.open(device.complete)
      const allowed = Promise.allSettled([
        browser.submit(consent, { decision: 'allow' }),
        other.submit(confirm, { confirm: 'yes' }),
      ])
      await sleep(4 * (round + 1))
      await app.services.accounts.signOut(ada?.id ?? '')
      await allowed
      for (const tab of [browser, other]) {
        const page = await tab.open(authorizeUrl(app, home, { prompt: 'none' }))
        expect(page.headers.get('location')).toContain('error=login_required')
      }
      expect((await pollDevice(app, tv, device.deviceCode)).status).toBe(400)
    }
  })

  test('of which one gives consent while another refreshes: neither is signed out', async () => {
    const browser = await signedIn()
    const [first] = await clientsFor(1, { first_party: true })
    if (!first) throw new Error('no client')
    let token = tokensIn(await redeem(app, first, await codeFor(app, first, {}, browser))).refreshToken
    for (const third of await clientsFor(5, {})) {
      const page = await browser.open(authorizeUrl(app, third))
      const consent = { answered: false }
      const refreshing = (async () => {
        while (!consent.answered) {
          const answer = await refresh(app, first, token)
          expect(answer.status, answer.body).toBe(200)
          token = tokensIn(answer).refreshToken
        }
      })()
      refreshing.catch(() => {})
      await browser.submit(page, { decision: 'allow' }).finally(() => (consent.answered = true))
      await refreshing
    }
  })
})
