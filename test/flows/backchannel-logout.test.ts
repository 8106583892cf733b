// OpenID Connect Back-Channel Logout 1.0: whoever ends a session, its applications hear of it, and from the server only
// where it may call.
import { createRemoteJWKSet, jwtVerify, type JWTVerifyResult } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LogoutDelivery } from '#core/logout-deliveries/store.ts'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { logoutReceiver, type Behaviour, type LogoutReceiver } from '../support/logout-receiver.ts'
import { collect, runNode } from '../support/processes.ts'
import { authorizeUrl, send, tokensFor, userinfo } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'

const WAIT_LIMIT_MS = 20_000

describe.each(databases)('back-channel logout on $name', (database) => {
  let app: TestApp
  let receiver: LogoutReceiver
  let browser: BrowserSession
  let accountId: string

  beforeAll(async () => {
    app = await startApp(database, { settings: { OUTBOUND_ALLOW: '127.0.0.1' } })
    accountId = (await createPerson(app.services)).id
  })
  beforeEach(async () => {
    receiver = await logoutReceiver()
    browser = browserSession(app.issuer)
  })
  afterEach(async () => {
    await receiver.close()
    await app.services.database.db.deleteFrom('logout_deliveries').execute()
  })
  afterAll(() => app.close())

  const listener = (name: string, behaviour?: Behaviour, metadata: Record<string, unknown> = {}) =>
    createClient(app.services, {
      name,
      first_party: true,
      backchannel_logout_uri: receiver.endpoint(name, behaviour),
      metadata: { backchannel_logout_session_required: true, ...metadata },
    })

  /** Signs the browser in to the client, and gives what its library verified. */
  async function signInTo(client: RegisteredClient): Promise<Readonly<Record<string, unknown>>> {
    const rp = await relyingParty(app.issuer, client)
    const begun = await rp.begin()
    const page = await browser.open(begun.url)
    const answer = page.body.includes('id="sign-in"')
      ? await browser.submit(page, { username: 'ada', password: PASSWORD })
      : page
    const tokens = await rp.redeem(locationOf(answer), begun)
    return tokens.claims() ?? {}
  }

  const signOut = async (fields: Record<string, string> = { logout: 'yes' }) =>
    browser.submit(await browser.open(`${app.issuer}/logout`), fields)

  const deliveries = (): Promise<LogoutDelivery[]> =>
    app.services.database.db.selectFrom('logout_deliveries').selectAll().execute()
  const deliveryTo = async ({ client }: RegisteredClient) =>
    (await deliveries()).find(({ client_id: id }) => id === client.id)
  /** In place of waiting for a retry; what is being sent at this moment is left alone. */
  const hasten = () =>
    app.services.database.db
      .updateTable('logout_deliveries')
      .set({ next_attempt_at: 0, last_error: null })
      .where('next_attempt_at', 'is not', null)
      .where('last_error', 'is not', null)
      .execute()

  async function verified(token: string | undefined, { client }: RegisteredClient): Promise<JWTVerifyResult> {
    const keys = createRemoteJWKSet(new URL(`${app.issuer}/.well-known/jwks.json`))
    return jwtVerify(token ?? '', keys, { issuer: app.issuer, audience: client.id, typ: 'logout+jwt' })
  }

  test('discovery says that it is there', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json).toMatchObject({ backchannel_logout_supported: true, backchannel_logout_session_supported: true })
  })

  test('one sign-out tells every application, whichever way each of them takes it', async () => {
    const fast = await listener('fast')
    const silent = await listener('silent', (response, hit) => void (hit > 1 && response.writeHead(200).end()), {
      backchannel_logout_session_required: false,
    })
    const moody = await listener('moody', (response, hit) => response.writeHead(hit === 1 ? 500 : 200).end(), {
      id_token_signed_response_alg: 'ES256',
    })
    const untold = await createClient(app.services, { name: 'untold', first_party: true })
    const known = { fast: await signInTo(fast), silent: await signInTo(silent), moody: await signInTo(moody) }
    expect(await signInTo(untold)).not.toHaveProperty('sid')
    expect(known.fast['sid']).toBeTypeOf('string')
    expect(known.silent).not.toHaveProperty('sid')

    expect((await signOut()).body).toContain('You are signed out')
    await vi.waitFor(() => expect(receiver.tokens('fast')).toHaveLength(1), WAIT_LIMIT_MS)
    await vi.waitFor(
      async () =>
        expect(await deliveryTo(silent)).toMatchObject({ attempts: 1, last_error: expect.stringContaining('in time') }),
      WAIT_LIMIT_MS,
    )
    expect(await deliveryTo(moody)).toMatchObject({ last_status: 500, last_error: 'answered 500', delivered_at: null })
    await hasten()
    await vi.waitFor(
      async () => expect((await deliveries()).filter((row) => row.delivered_at !== null)).toHaveLength(3),
      WAIT_LIMIT_MS,
    )

    const sent = { fast: receiver.tokens('fast'), silent: receiver.tokens('silent'), moody: receiver.tokens('moody') }
    expect(Object.values(sent).map(({ length }) => length)).toEqual([1, 2, 2])
    for (const [token, client, alg, sid] of [
      [sent.fast[0], fast, 'RS256', known.fast['sid']],
      [sent.silent[1], silent, 'RS256', undefined],
      [sent.moody[1], moody, 'ES256', known.moody['sid']],
    ] as const) {
      const { payload, protectedHeader } = await verified(token, client)
      expect(protectedHeader).toMatchObject({ alg, typ: 'logout+jwt', kid: expect.any(String) })
      expect(payload).toEqual({
        iss: app.issuer,
        aud: client.client.id,
        sub: accountId,
        iat: expect.any(Number),
        exp: expect.any(Number),
        jti: expect.any(String),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        ...(sid === undefined ? {} : { sid }),
      })
    }
    const [first, second] = await Promise.all(sent.moody.map((token) => verified(token, moody)))
    expect(first?.payload.jti).not.toBe(second?.payload.jti)
    expect(await deliveryTo(fast)).toMatchObject({ attempts: 1, last_status: 204, next_attempt_at: null })
    expect(await deliveryTo(moody)).toMatchObject({ attempts: 2, last_status: 200, last_error: null })
  })

  test('the person who leaves one application only is not signed out of the others', async () => {
    const left = await listener('left')
    const kept = await listener('kept')
    const rp = await relyingParty(app.issuer, left)
    const begun = await rp.begin()
    const page = await browser.submit(await browser.open(begun.url), { username: 'ada', password: PASSWORD })
    const tokens = await rp.redeem(locationOf(page), begun)
    await signInTo(kept)
    const question = await browser.open(`${app.issuer}/logout?id_token_hint=${tokens.id_token}`)
    await browser.submit(question, {})
    expect([receiver.tokens('left').length, receiver.tokens('kept').length]).toEqual([1, 0])
    expect((await verified(receiver.tokens('left')[0], left)).payload['sid']).toBe(tokens.claims()?.['sid'])
    await signOut()
    expect([receiver.tokens('left').length, receiver.tokens('kept').length]).toEqual([1, 1])
  })

  test('another person who signs in with the browser ends the session of the one before', async () => {
    const client = await listener('shared')
    const { sid } = await signInTo(client)
    const page = await browser.open(authorizeUrl(app, client, { prompt: 'login' }))
    await browser.submit(page, { switch: 'yes' })
    expect((await verified(receiver.tokens('shared')[0], client)).payload).toMatchObject({ sub: accountId, sid })
  })

  test('nobody else waits for the applications that a person who goes on as somebody else waits for', async () => {
    const held: (() => void)[] = []
    const prompt = await listener('prompt')
    const slow = await listener('slow', (response) => void held.push(() => response.writeHead(204).end()))
    await signInTo(prompt)
    await signInTo(slow)
    const page = await browser.open(authorizeUrl(app, prompt, { prompt: 'login' }))
    const leaving = browser.submit(page, { switch: 'yes' })
    await vi.waitFor(() => expect([receiver.tokens('prompt').length, held.length]).toEqual([1, 1]))
    // well before the person has waited long enough
    await vi.waitFor(async () => expect(await deliveryTo(prompt)).toMatchObject({ last_status: 204 }), 500)
    for (const answer of held) answer()
    expect((await leaving).body).toContain('id="sign-in"')
  })

  test('what the command line does in a process of its own is told by the server within seconds', async () => {
    const client = await listener('remote')
    const { sid } = await signInTo(client)
    const { accessToken } = await tokensFor(app, client, {}, browser)
    const child = runNode(['src/cli.ts', 'user', 'disable', 'ada'], {
      ISSUER: app.issuer,
      DATABASE_URL: app.config.databaseUrl.reveal(),
      KEYS_DIR: app.config.keysDir,
    })
    const { stderr } = collect(child)
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect([code, stderr()]).toEqual([0, ''])
    await vi.waitFor(() => expect(receiver.tokens('remote')).toHaveLength(1), WAIT_LIMIT_MS)
    expect((await verified(receiver.tokens('remote')[0], client)).payload).toMatchObject({ sub: accountId, sid })
    expect((await userinfo(app, accessToken)).status).toBe(401)
    await app.services.accounts.enable(accountId)
  })

  test.each([
    ['sign-out', () => app.services.accounts.signOut(accountId)],
    ['a new password', () => app.services.accounts.setPassword(accountId, PASSWORD)],
  ])('%s by an administrator tells each session of each browser', async (_, end) => {
    const client = await listener('everywhere')
    const first = await signInTo(client)
    browser = browserSession(app.issuer)
    const second = await signInTo(client)
    await end()
    await vi.waitFor(() => expect(receiver.tokens('everywhere')).toHaveLength(2), WAIT_LIMIT_MS)
    const told = await Promise.all(receiver.tokens('everywhere').map((token) => verified(token, client)))
    expect(new Set(told.map(({ payload }) => payload['sid']))).toEqual(new Set([first['sid'], second['sid']]))
  })

  test('A70 an application that never takes it is given up after five attempts', async () => {
    const client = await listener('broken', (response) => response.writeHead(503).end())
    await signInTo(client)
    await signOut()
    await vi.waitFor(
      async () => {
        await hasten()
        expect(await deliveryTo(client)).toMatchObject({ given_up_at: expect.any(Number) })
      },
      { timeout: WAIT_LIMIT_MS, interval: 300 },
    )
    expect(await deliveryTo(client)).toMatchObject({ last_status: 503, next_attempt_at: null, delivered_at: null })
    expect(receiver.tokens('broken')).toHaveLength(5)
  })

  test('A70 a redirect is not followed, and a disabled or deleted application is not called', async () => {
    const canary = await logoutReceiver()
    try {
      const client = await listener('redirecting', (response) =>
        response.writeHead(307, { location: canary.endpoint('inside') }).end(),
      )
      const disabled = await listener('disabled')
      const deleted = await listener('deleted')
      for (const one of [client, disabled, deleted]) await signInTo(one)
      await app.services.clients.disable(disabled.client.id)
      await app.services.clients.remove(deleted.client.id)
      await signOut()
      expect(await deliveries()).toMatchObject([{ client_id: client.client.id, last_status: 307 }])
      expect([canary.hits(), receiver.hits()]).toEqual([0, 1])
    } finally {
      await canary.close()
    }
  })
})

describe('without OUTBOUND_ALLOW', () => {
  test.each(['127.0.0.1', 'localhost'])('A70 a listener on %s is never called, and the sign-out ends', async (host) => {
    const [sqlite] = databases
    if (!sqlite) throw new Error('SQLite is always there')
    const app = await startApp(sqlite)
    const canary = await logoutReceiver()
    try {
      await createPerson(app.services)
      const client = await createClient(app.services, {
        first_party: true,
        backchannel_logout_uri: canary.endpoint('inside').replace('127.0.0.1', host),
      })
      const browser = browserSession(app.issuer)
      await tokensFor(app, client, {}, browser)
      const done = await browser.submit(await browser.open(`${app.issuer}/logout`), { logout: 'yes' })
      expect(done.body).toContain('You are signed out')
      const rows = await app.services.database.db.selectFrom('logout_deliveries').selectAll().execute()
      expect(rows).toMatchObject([{ last_status: null, last_error: expect.stringContaining('OUTBOUND_ALLOW') }])
      expect(canary.hits()).toBe(0)
    } finally {
      await app.close()
      await canary.close()
    }
  })
})
