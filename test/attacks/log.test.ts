// The log and the database in the wrong hands: no line can be forged, and no secret is found in either.
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from 'kysely'
import type { Log } from '#platform/log.ts'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  basic,
  bearer,
  codeFor,
  post,
  query,
  redeem,
  refresh,
  send,
  token,
  tokensFor,
  tokensIn,
  userinfo,
  VERIFIER,
} from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

/** The server's own log, at its most talkative, kept in memory. */
function capturedLog(): { log: Log; text: () => string } {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  return {
    log: pino({ level: 'trace', base: null, formatters: { level: (label) => ({ level: label }) } }, stream),
    text: () => text,
  }
}

const FORGED = '\r\n{"level":"info","msg":"forged"}\n\u001b[31m\u2028"\\\u0000'

describe.each(databases)('what is written down, on $name', (database) => {
  const captured = capturedLog()
  let app: TestApp
  let web: RegisteredClient
  let service: RegisteredClient

  beforeAll(async () => {
    app = await startApp(database, { log: captured.log, settings: { REGISTRATION: 'open' } })
    await createPerson(app.services)
    web = await createClient(app.services)
    service = await createClient(app.services, { type: 'service', redirect_uris: [] })
  })
  afterAll(() => app.close())

  test('A114 writes one valid JSON object a line, whatever strangers send', async () => {
    const browser = browserSession(app.issuer, { 'user-agent': 'x"\\u2028{}' })
    // the gate lets these in nowhere
    const printed = FORGED.replaceAll('\x1b', '').replaceAll('\0', '')
    const page = await browser.open(authorizeUrl(app, web, { login_hint: printed, state: printed }))
    await signIn(browser, page, printed, printed)
    await browser.open(authorizeUrl(app, web, { client_id: FORGED }))
    await browser.open(authorizeUrl(app, web, { redirect_uri: FORGED, scope: FORGED }))
    await browser.open(authorizeUrl(app, web, { scope: `openid ${'x'.repeat(10_000)}` }))
    await post(`${app.issuer}/token`, { grant_type: FORGED, client_id: FORGED, client_secret: FORGED })
    await post(`${app.issuer}/token`, {
      grant_type: 'client_credentials',
      client_id: 'x'.repeat(50_000),
      client_secret: 'x',
    })
    await send(`${app.issuer}/${encodeURIComponent(FORGED)}/${'x'.repeat(5_000)}`, {
      headers: { 'x-forwarded-for': '1.2.3.4"}, {"level":"info"', forwarded: 'for="x"' },
    })
    const lines = captured.text().trim().split('\n')
    expect(lines.length).toBeGreaterThan(8)
    for (const line of lines) {
      const entry: unknown = JSON.parse(line)
      expect(entry).toEqual(
        expect.objectContaining({ level: expect.any(String), time: expect.any(Number), msg: expect.any(String) }),
      )
      expect(entry).not.toMatchObject({ msg: 'forged' })
      expect(line.length).toBeLessThan(2_000)
      expect(line).not.toContain('\x1b')
    }
  })

  test('quotes nothing of a request that cannot be parsed', async () => {
    const body = '{"client_secret":quoted-canary}'
    const headers = { 'content-type': 'application/json' }
    expect((await send(`${app.issuer}/register`, { method: 'POST', headers, body })).status).toBe(400)
    await browserSession(app.issuer).open(authorizeUrl(app, web, { claims: 'quoted-canary' }))
    expect(captured.text()).not.toContain('quoted-ca')
  })

  test('A115 lets no secret into the log, and nothing that would be accepted into the database', async () => {
    const canaries: Record<string, string> = {}
    const canary = (name: string, value: string) => {
      expect(value, `${name} is no canary`).toHaveLength(Math.max(value.length, 8))
      canaries[name] = value
      return value
    }
    canary('password', PASSWORD)
    canary('client secret', web.secret ?? '')
    canary('service secret', service.secret ?? '')

    const browser = browserSession(app.issuer)
    const page = await browser.open(authorizeUrl(app, web, { scope: 'openid offline_access', prompt: 'consent' }))
    canary('interaction', page.url.split('/').at(-1) ?? '')
    canary('csrf', /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '')
    await signIn(browser, page, 'ada', canary('wrong password', 'wrong-canary-password-7Qx'))
    const consent = await signIn(browser, page)
    const code = canary(
      'code',
      locationOf(await browser.submit(consent, { decision: 'allow' })).searchParams.get('code') ?? '',
    )
    for (const { name, value } of browser.cookies.values()) canary(name, value)
    await redeem(app, web, code, {
      code_verifier: canary('wrong verifier', 'wrong-verifier-canary-of-more-than-forty-three-chars'),
    })
    canary('verifier', VERIFIER)
    const first = tokensIn(await redeem(app, web, code))
    canary('access token', first.accessToken)
    canary('refresh token', first.refreshToken)
    canary('ID token', first.idToken.split('.')[2] ?? '')
    await userinfo(app, first.accessToken)
    await userinfo(app, canary('unknown access token', 'unknown-access-token-canary-000000000000000'))
    const second = tokensIn(await refresh(app, web, first.refreshToken))
    canary('second refresh token', second.refreshToken)
    await refresh(
      app,
      { ...web, secret: canary('wrong secret', 'wrong-secret-canary-00000000000') },
      second.refreshToken,
    )
    await refresh(app, web, canary('unknown refresh token', 'unknown-refresh-token-canary-0000000000000'))
    await redeem(app, web, code)
    const unused = canary('unused code', await codeFor(app, web, { scope: 'openid' }, browser))
    const machine = tokensIn(await token(app, service, { grant_type: 'client_credentials' }))
    canary('service token', machine.accessToken)
    await post(`${app.issuer}/introspect`, { token: machine.accessToken }, basic(service))
    await post(`${app.issuer}/revoke`, { token: second.accessToken }, basic(web))
    const pushed = await post(
      `${app.issuer}/par`,
      Object.fromEntries(new URL(authorizeUrl(app, web)).searchParams),
      basic(web),
    )
    canary('request_uri', String(pushed.json['request_uri']).split(':').at(-1) ?? '')
    await browser.open(
      `${app.issuer}/authorize?${query({ client_id: web.client.id, request_uri: String(pushed.json['request_uri']) })}`,
    )
    await send(`${app.issuer}/userinfo?access_token=${machine.accessToken}`, { headers: bearer('x') })
    await send(`${app.issuer}/nowhere/?code=${unused}`)
    const lasting = await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' }, browser)
    canary('live refresh token', lasting.refreshToken)
    await browser.open(`${app.issuer}/logout?${query({ id_token_hint: lasting.idToken })}`)

    const log = captured.text()
    await app.services.audit.flush()
    const dump = await dumpOf(app)
    expect(dump).toContain('sign_in.refused')
    expect(dump).toContain('ada@example.com')
    expect(log).toContain(web.client.id)
    // a code challenge is no secret; the verifier of a test stands nowhere else
    for (const [name, value] of Object.entries(canaries)) {
      expect(log.includes(value), `${name} is in the log`).toBe(false)
      expect(dump.includes(value), `${name} is in the database`).toBe(false)
    }
    expect(dump).not.toMatch(/"d":"|BEGIN [A-Z ]*PRIVATE KEY/)
  })
})

/** Every row of every table, as text. */
async function dumpOf({ services: { database } }: TestApp): Promise<string> {
  const tables = [
    'accounts',
    'groups',
    'clients',
    'consents',
    'signing_keys',
    'artifacts',
    'leases',
    'audit_events',
  ] as const
  const rows = await Promise.all(tables.map((table) => sql`select * from ${sql.table(table)}`.execute(database.db)))
  return rows.map((result) => JSON.stringify(result.rows).replaceAll('\\"', '"')).join('\n')
}
