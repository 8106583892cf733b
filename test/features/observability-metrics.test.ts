// /metrics: who may read it, that it counts what happened, and that nobody outside can put anything into it.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { textOf } from '../docs/markdown.ts'
import { authorizeUrl, bearer, redeem, refresh, send, token, tokensFor, type Answer } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

const METRICS_TOKEN = 'a-token-for-the-numbers'

describe.each(databases)('metrics on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient

  beforeAll(async () => {
    app = await startApp(database, { settings: { METRICS_TOKEN } })
    await createPerson(app.services)
    web = await createClient(app.services)
  })
  afterAll(() => app.close())

  const metrics = (headers: Readonly<Record<string, string>> = bearer(METRICS_TOKEN)): Promise<Answer> =>
    send(`${app.issuer}/metrics`, { headers })

  /** How much a series grows while something is done; all that the labels fit are summed. */
  const growth = async (series: RegExp, run: () => Promise<unknown>): Promise<number> => {
    const before = sumOf(series, (await metrics()).body)
    await run()
    return sumOf(series, (await metrics()).body) - before
  }

  test('A116 are for the bearer of METRICS_TOKEN alone', async () => {
    for (const headers of [
      {},
      bearer('another'),
      bearer(`${METRICS_TOKEN}x`),
      bearer(METRICS_TOKEN.slice(1)),
      { authorization: `Basic ${Buffer.from(`x:${METRICS_TOKEN}`).toString('base64')}` },
      { cookie: `token=${METRICS_TOKEN}` },
    ]) {
      const answer = await metrics(headers)
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="metrics"'])
      expect(answer.body).not.toContain('latchkey_')
    }
    expect((await send(`${app.issuer}/metrics?access_token=${METRICS_TOKEN}`)).status).toBe(401)
    const answer = await metrics()
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      'no-store',
    ])
    expect(
      await growth(/^latchkey_http_request_duration_seconds_count\{.*route="\/metrics",status="401"/, () =>
        metrics({}),
      ),
    ).toBe(1)
  })

  test('time each request under the endpoint that took it', async () => {
    const series = (route: string, status: number): RegExp =>
      new RegExp(`^latchkey_http_request_duration_seconds_count\\{method="\\w+",route="${route}",status="${status}"\\}`)
    expect(await growth(series('/token', 400), () => redeem(app, web, 'unknown'))).toBe(1)
    expect(
      await growth(series('/interaction/:uid', 200), () => browserSession(app.issuer).open(authorizeUrl(app, web))),
    ).toBe(1)
    expect(await growth(series('/healthz', 200), () => send(`${app.issuer}/healthz`))).toBe(1)
    const jwks = '/.well-known/jwks.json'
    // the second is answered from the first
    for (const _ of [1, 2]) expect(await growth(series(jwks, 200), () => send(app.issuer + jwks))).toBe(1)
    expect(await growth(series('other', 404), () => send(`${app.issuer}/nowhere`))).toBe(1)
  })

  test('count sign-ins, the hashes they cost, the tokens given, and what was refused', async () => {
    const signIns = (result: string): RegExp =>
      new RegExp(`^latchkey_sign_ins_total\\{method="password",result="${result}"\\}`)
    const issued = (kind: string): RegExp => new RegExp(`^latchkey_tokens_issued_total\\{kind="${kind}"\\}`)
    const wrong = async (): Promise<unknown> => {
      const browser = browserSession(app.issuer)
      return signIn(browser, await browser.open(authorizeUrl(app, web)), 'ada', 'not her password')
    }
    expect(await growth(signIns('failure'), wrong)).toBe(1)
    expect(await growth(/^latchkey_password_hash_duration_seconds_count/, wrong)).toBe(1)
    const before = (await metrics()).body
    await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' })
    const after = (await metrics()).body
    for (const series of [signIns('success'), ...['access', 'id', 'refresh', 'code'].map(issued)])
      expect([series, sumOf(series, after) - sumOf(series, before)]).toEqual([series, 1])
    const refused = (endpoint: string, error: string): RegExp =>
      new RegExp(`^latchkey_refusals_total\\{endpoint="${endpoint}",error="${error}"\\}`)
    expect(await growth(refused('grant', 'invalid_grant'), () => refresh(app, web, 'unknown'))).toBe(1)
    expect(
      await growth(refused('authorization', 'invalid_client'), () =>
        send(authorizeUrl(app, web, { client_id: 'nobody' })),
      ),
    ).toBe(1)
  })

  test('tell a name that is guessed at too often from one that was wrong', async () => {
    const guess = async (): Promise<unknown> => {
      const browser = browserSession(app.issuer)
      return signIn(browser, await browser.open(authorizeUrl(app, web)), 'nobody', 'wrong')
    }
    for (let tries = 0; tries < 5; tries += 1) await guess()
    expect(await growth(/^latchkey_sign_ins_total\{.*result="throttled"/, guess)).toBe(1)
    expect(await growth(/^latchkey_sign_ins_total\{.*result="failure"/, guess)).toBe(0)
  })

  test('show the database at work, its pool where there is one, and the hashes under way', async () => {
    const { body } = await metrics()
    for (const operation of ['select', 'insert', 'update'])
      expect(
        sumOf(new RegExp(`^latchkey_database_query_duration_seconds_count\\{operation="${operation}"`), body),
      ).toBeGreaterThan(0)
    expect(body).toContain('latchkey_password_hashes{state="running"} 0')
    expect(body).toContain('latchkey_password_hashes{state="waiting"} 0')
    expect(/^latchkey_database_pool_connections\{state="waiting"\} 0$/m.test(body)).toBe(database.name === 'postgres')
  })

  test('are those that docs/operations.md tells of', async () => {
    const told = [...textOf('docs/operations.md').matchAll(/^\| `(latchkey_\w+)` \|/gm)].map(([, name]) => name)
    const given = [...(await metrics()).body.matchAll(/^# TYPE (latchkey_\w+) /gm)].map(([, name]) => name)
    const ofThisDatabase = told.filter((name) => database.name === 'postgres' || !name?.includes('_pool_'))
    expect(given.toSorted()).toEqual(ofThisDatabase.toSorted())
  })

  test('count calls to applications, and why one was not made', async () => {
    const register = () =>
      createClient(app.services, {
        metadata: { subject_type: 'pairwise', sector_identifier_uri: 'https://127.0.0.1:1/sector.json' },
      }).catch(() => {})
    expect(await growth(/^latchkey_outbound_request_duration_seconds_count\{result="address"\}/, register)).toBe(1)
  })

  test('A116 hold no person, client, address or path, and grow by nothing that a stranger sends', async () => {
    const disturb = async (method: string): Promise<void> => {
      const noise = randomBytes(6).toString('hex')
      await send(`${app.issuer}/${noise}`)
      await send(`${app.issuer}/interaction/${noise}`)
      await send(authorizeUrl(app, web, { client_id: noise, state: noise }))
      await token(app, { ...web, secret: noise }, { grant_type: noise })
      await send(`${app.issuer}/${noise}`, { method })
    }
    await disturb('PROPFIND')
    const before = (await metrics()).body
    for (const method of ['MKCOL', 'REPORT', 'LOCK', 'SEARCH', 'UNLINK']) await disturb(method)
    const { body } = await metrics()
    expect(seriesIn(body)).toEqual(seriesIn(before))
    expect(body).not.toMatch(/ada|Reading list|127\.0\.0\.1|localhost/)
    expect(body).not.toContain(web.client.id)
  })
})

test('A116 there is no /metrics without METRICS_TOKEN', async () => {
  const [sqlite] = databases
  if (!sqlite) throw new Error('SQLite is always there')
  const app = await startApp(sqlite)
  try {
    for (const headers of [{}, bearer(''), bearer('undefined')])
      expect((await send(`${app.issuer}/metrics`, { headers })).status).toBe(404)
  } finally {
    await app.close()
  }
})

function sumOf(series: RegExp, text: string): number {
  return text
    .split('\n')
    .filter((line) => series.test(line))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

function seriesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('#') ? [] : [line.replace(/ [^ ]+$/, '')]))
}
