// What a client was told is done stays done. A server is killed at random moments under load; the client keeps a
// ledger of every 2xx and, after the restart, holds the server to it.
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { startCluster, type Cluster } from '../support/processes.ts'
import { authorizeUrl, codeFor, redeem, refresh, tokensIn } from '../support/protocol.ts'

/** KILL_ROUNDS=500 is the full count. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 2)
const WORKERS = 6

/** What the server acknowledged. */
interface Ledger {
  /** The newest refresh token of each line; the last one may have been sent again without an answer. */
  readonly refreshTokens: Map<number, string>
  /** Codes that were answered with tokens. */
  readonly spentCodes: string[]
  /** Clients that the person was taken back to after consent. */
  readonly consents: string[]
}

describe.each(databases)('F1 F2 a server on $name that is killed under load', (kind) => {
  let cluster: Cluster
  let client: RegisteredClient

  beforeAll(async () => {
    cluster = await startCluster(kind, 1, { TOKENS_CODE_SECONDS: '600', TOKENS_REFRESH_REUSE_SECONDS: '60' })
    await createPerson(cluster.services)
    client = await createClient(cluster.services, { first_party: true, refresh_tokens: 'always' })
  })
  afterAll(() => cluster.close())

  test(
    'has kept all that it acknowledged, and lets nothing be used twice',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const third = await Promise.all(
          Array.from({ length: 30 }, (_, index) => createClient(cluster.services, { name: `Third ${index}` })),
        )
        const ledger: Ledger = { refreshTokens: new Map(), spentCodes: [], consents: [] }
        const browsers = await Promise.all(Array.from({ length: WORKERS }, () => signedIn(hostOf(cluster))))
        const consenting = await signedIn(hostOf(cluster))
        const load = Promise.allSettled([
          ...browsers.map((browser, worker) => redeemAndRefresh(worker, browser, ledger)),
          giveConsents(third, consenting, ledger),
        ])
        do await sleep(20)
        while (ledger.spentCodes.length === 0)
        await sleep(Math.random() * 700)
        await cluster.kill(0)
        expect(await load).toEqual(
          Array.from({ length: WORKERS + 1 }, () => ({ status: 'fulfilled', value: undefined })),
        )
        await expectNoHalves(cluster, client)
        await cluster.restart(0)
        await hold(ledger)
        await cluster.services.artifacts.removeByClient(client.client.id)
      }
    },
    30_000 + ROUNDS * 10_000,
  )

  async function signedIn(host: TestApp): Promise<BrowserSession> {
    const fresh = browserSession(host.issuer)
    await fresh.submit(await fresh.open(authorizeUrl(host, client)), { username: 'ada', password: PASSWORD })
    return fresh
  }

  /** Works until the server is gone. */
  async function redeemAndRefresh(worker: number, browser: BrowserSession, ledger: Ledger): Promise<void> {
    const host = hostOf(cluster)
    const untilGone = async (): Promise<void> => {
      for (let line = worker; ; line += WORKERS) {
        const code = await codeFor(host, client, {}, browser)
        const first = await redeem(host, client, code)
        expect(first.status, first.body).toBe(200)
        ledger.spentCodes.push(code)
        let token = tokensIn(first).refreshToken
        ledger.refreshTokens.set(line, token)
        for (let turn = 0; turn < 3; turn += 1) {
          const next = await refresh(host, client, token)
          expect(next.status, next.body).toBe(200)
          token = tokensIn(next).refreshToken
          ledger.refreshTokens.set(line, token)
        }
      }
    }
    await untilGone().catch(ignoreLostConnection)
  }

  async function giveConsents(
    clients: readonly RegisteredClient[],
    browser: BrowserSession,
    ledger: Ledger,
  ): Promise<void> {
    const host = hostOf(cluster)
    const untilGone = async (): Promise<void> => {
      for (const third of clients) {
        const page = await browser.open(authorizeUrl(host, third))
        await browser.submit(page, { decision: 'allow' })
        ledger.consents.push(third.client.id)
      }
    }
    await untilGone().catch(ignoreLostConnection)
  }

  async function hold({ refreshTokens, spentCodes, consents }: Ledger): Promise<void> {
    const host = hostOf(cluster)
    for (const token of refreshTokens.values()) {
      const answer = await refresh(host, client, token)
      expect(answer.status, answer.body).toBe(200)
    }
    for (const code of spentCodes)
      expect(await redeem(host, client, code)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    const ada = await cluster.services.accounts.find('ada')
    for (const id of consents)
      expect(await cluster.services.consents.find(ada?.id ?? '', id), id).toMatchObject({
        scopes: expect.arrayContaining(['openid']),
      })
    expect(await integrityOf(cluster)).toBe('ok')
  }
})

describe.each(databases)('consents on $name', (kind) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp(kind)
  })
  afterAll(() => app.close())

  test('of many that are given at the same moment all are remembered', async () => {
    const { id: account } = await createPerson(app.services)
    const { client } = await createClient(app.services)
    const scopes = Array.from({ length: 12 }, (_, index) => `scope-${String(index).padStart(2, '0')}`)
    await Promise.all(
      scopes.map((scope) =>
        app.services.consents.remember(
          account,
          client.id,
          { scopes: [scope], claims: [`claim-of-${scope}`], resources: {} },
          1,
        ),
      ),
    )
    expect(await app.services.consents.find(account, client.id)).toEqual({
      scopes,
      claims: scopes.map((scope) => `claim-of-${scope}`),
      resources: {},
    })
    await app.services.consents.forget(account, client.id)
    expect(await app.services.consents.find(account, client.id)).toBeUndefined()
  })
})

/** What one answer gave is there or it is not: a spent code, an access token and a refresh token come together. */
async function expectNoHalves({ services: { database } }: Cluster, { client }: RegisteredClient): Promise<void> {
  const rows = await database.db
    .selectFrom('artifacts')
    .select(['model', 'grant_id', 'consumed_at'])
    .where('client_id', '=', client.id)
    .where('grant_id', 'is not', null)
    .execute()
  for (const [grant, own] of Map.groupBy(rows, ({ grant_id }) => grant_id)) {
    const count = (model: string) => own.filter((row) => row.model === model).length
    const spent = own.some(({ model, consumed_at }) => model === 'AuthorizationCode' && consumed_at !== null)
    const used = own.filter(({ model, consumed_at }) => model === 'RefreshToken' && consumed_at !== null).length
    const answers = spent ? 1 + used : 0
    expect({ grant, access: count('AccessToken'), refresh: count('RefreshToken') }).toEqual({
      grant,
      access: answers,
      refresh: answers,
    })
  }
}

/** What SQLite says of its file; PostgreSQL has no such question. */
async function integrityOf({ services: { database } }: Cluster): Promise<string> {
  if (database.kind.name !== 'sqlite') return 'ok'
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(database.db)
  return rows.map(({ integrity_check }) => integrity_check).join('\n')
}

function hostOf({ hosts: [host] }: Cluster): TestApp {
  if (!host) throw new Error('no server was started')
  return host
}

/** fetch tells a connection that broke as a TypeError; anything else is for the test. */
function ignoreLostConnection(error: unknown): void {
  if (!(error instanceof TypeError)) throw error
}
