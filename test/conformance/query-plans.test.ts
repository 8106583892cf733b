// Every statement of the hot paths, as the server really sends it, is shown to the database: none of them reads a table
// that grows with people, clients or tokens from end to end. The tables that may be are named, and stay small.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { features } from '#app/features.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { authorizeUrl, basic, post, redeem, refresh, token, tokensFor, userinfo, codeFor } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'
import { recordStatements, tablesScanned, type Recording } from '../support/query-plans.ts'

/** A row for each key there ever was, each API, each job: tens of rows in any installation. */
const SMALL = ['signing_keys', 'apis', 'api_clients', 'installation_secrets', 'leases']
const API = 'https://api.example/orders'

describe.each(databases)('query plans on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let recording: Recording
  let statements: readonly (readonly [string, readonly unknown[]])[]

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    await app.services.apis.create({ identifier: API, name: 'Orders', scope: 'read', format: 'jwt' })
    const metadata = { grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT] }
    web = await createClient(app.services, { refresh_tokens: 'always', metadata })
    recording = recordStatements()
    await signInAndOut()
    await askForTokens()
    await pushAndPoll()
    for (const job of features.flatMap((feature) => feature.jobs?.(app.services) ?? [])) await job.run()
    recording.end()
    statements = [...recording.statements]
  })
  afterAll(() => app.close())

  async function signInAndOut(): Promise<void> {
    const browser = browserSession(app.issuer)
    const page = await browser.open(authorizeUrl(app, web))
    await signIn(browser, page, 'ada', 'not the password')
    const { idToken } = await tokensFor(app, web, {}, browser)
    await tokensFor(app, web, {}, browser)
    await codeFor(app, web, { prompt: 'consent' }, browser)
    const question = await browser.open(`${app.issuer}/logout?id_token_hint=${idToken}`)
    await browser.submit(question, { logout: 'yes' })
  }

  async function askForTokens(): Promise<void> {
    const service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    await token(app, service, { grant_type: 'client_credentials' })
    await token(app, service, { grant_type: 'client_credentials', resource: API })
    const code = await codeFor(app, web)
    const { json } = await redeem(app, web, code)
    const refreshToken = String(json['refresh_token'])
    await userinfo(app, String(json['access_token']))
    await refresh(app, web, refreshToken)
    for (const path of ['introspect', 'revoke'])
      await post(`${app.issuer}/${path}`, { token: String(json['access_token']) }, basic(web))
    // the second use of a code ends its family
    await redeem(app, web, code)
  }

  async function pushAndPoll(): Promise<void> {
    const pushed = Object.fromEntries(new URL(authorizeUrl(app, web)).searchParams)
    const { json } = await post(`${app.issuer}/par`, pushed, basic(web))
    await codeFor(app, web, { request_uri: String(json['request_uri']) })
    const { deviceCode, complete } = await authorizeDevice(app, web)
    await pollDevice(app, web, deviceCode)
    await browserSession(app.issuer).open(complete)
  }

  test.each(['artifacts', 'clients', 'accounts', 'consents', 'attempt_counters', 'session_clients'])(
    'statements on %s were seen',
    (table) => {
      expect(statements.filter(([statement]) => statement.includes(`"${table}"`))).not.toEqual([])
    },
  )

  test('whoever shows a token is answered after three: the token of any kind, its session with its grant, the person', async () => {
    const { accessToken } = await tokensFor(app, web)
    const asks = [
      () => userinfo(app, accessToken),
      () => post(`${app.issuer}/introspect`, { token: accessToken }, basic(web)),
    ]
    for (const ask of asks) {
      const { sent, end } = recordStatements()
      expect((await ask()).status).toBe(200)
      end()
      expect(sent.filter((statement) => /^select .* from "(artifacts|accounts)"/.test(statement))).toHaveLength(3)
    }
  })

  test('no hot statement reads a table that grows from end to end', async () => {
    const offences: string[] = []
    for (const statement of statements.filter(([sql]) => /^(select|insert|update|delete|with)\b/.test(sql))) {
      const scanned = (await tablesScanned(app.services, statement)).filter((table) => !SMALL.includes(table))
      if (scanned.length > 0) offences.push(`${scanned.join(', ')}: ${statement[0]}`)
    }
    expect(offences).toEqual([])
  })
})
