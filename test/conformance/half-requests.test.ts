// What a person's request stores is there whole or not at all, and an answer that never arrives costs nobody a session.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { authorizeUrl } from '../support/protocol.ts'
import { refusedRows } from '../support/refused-rows.ts'

describe.each(databases)('a request of a person on $name', (kind) => {
  let app: TestApp
  let home: RegisteredClient
  let accountId: string

  beforeAll(async () => {
    app = await startApp(kind)
    accountId = (await createPerson(app.services)).id
    home = await createClient(app.services, { first_party: true })
  })
  afterAll(() => app.close())
  const rows = refusedRows(kind, () => app.services.database.db)
  afterEach(() => rows.takeAgain())

  const signedIn = async (): Promise<BrowserSession> => {
    const browser = browserSession(app.issuer)
    await browser.submit(await browser.open(authorizeUrl(app, home)), { username: 'ada', password: PASSWORD })
    return browser
  }
  const isSignedIn = async (browser: BrowserSession, client = home): Promise<boolean> =>
    locationOf(await browser.open(authorizeUrl(app, client, { prompt: 'none' }))).searchParams.has('code')

  test('remembers no consent that cannot be put on record', async () => {
    const client = await createClient(app.services)
    const browser = await signedIn()
    const page = await browser.open(authorizeUrl(app, client))
    await rows.refuse('audit_events', 'type', 'consent.granted')
    expect((await browser.submit(page, { decision: 'allow' })).status).toBeGreaterThanOrEqual(500)
    expect(await app.services.consents.find(accountId, client.client.id)).toBeUndefined()
    await rows.takeAgain()
    expect(locationOf(await browser.submit(page, { decision: 'allow' })).searchParams.has('code')).toBe(true)
    expect(await app.services.consents.find(accountId, client.client.id)).toBeDefined()
  })

  test('ends no session where the sign-out cannot be put on record', async () => {
    const browser = await signedIn()
    const question = await browser.open(`${app.issuer}/logout`)
    await rows.refuse('audit_events', 'type', 'logout.succeeded')
    expect((await browser.submit(question, { logout: 'yes' })).status).toBe(503)
    await rows.takeAgain()
    expect((await browser.submit(question, { logout: 'yes' })).status).toBe(200)
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('uses up no code of a device, and no consent for it, where one step cannot be stored', async () => {
    const television = await createClient(app.services, { type: 'native', redirect_uris: [], device_flow: true })
    const browser = await signedIn()
    const { complete, deviceCode } = await authorizeDevice(app, television)
    const question = await browser.open(complete)
    await rows.refuse('artifacts', 'model', 'Interaction')
    expect((await browser.submit(question, { confirm: 'yes' })).status).toBe(503)
    await rows.takeAgain()
    const page = await browser.submit(question, { confirm: 'yes' })
    await rows.refuse('artifacts', 'model', 'DeviceCode')
    const failed = await browser.submit(page, { decision: 'allow' })
    expect([failed.status, new URL(failed.url).pathname]).toEqual([503, expect.stringMatching(/^\/device\//)])
    await rows.takeAgain()
    expect((await browser.open(failed.url)).status).toBe(200)
    expect((await pollDevice(app, television, deviceCode)).status).toBe(200)
  })

  test('leaves the browser signed in where the answer to its consent was lost', async () => {
    const client = await createClient(app.services)
    const browser = await signedIn()
    const page = await browser.open(authorizeUrl(app, client))
    const body = new URLSearchParams({ ...hiddenFields(page.body), decision: 'allow' })
    const allowed = await browser.request(`${page.url}/consent`, { method: 'POST', body })
    // one with the same cookies gets the answer
    const other = browserSession(app.issuer, {}, [...browser.cookies.values()])
    expect(locationOf(await other.request(locationOf(allowed).href)).searchParams.has('code')).toBe(true)
    expect(await isSignedIn(browser)).toBe(true)
    expect(await isSignedIn(browser, client)).toBe(true)
  })
})
