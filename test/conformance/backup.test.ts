// A backup is made while the server writes, and what comes back from it has every person and nothing that was spent.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MIGRATIONS } from '#app/services.ts'
import { ENDED_BY_A_RESTORE } from '#core/restoring.ts'
import { backUp } from '#platform/database/backup.ts'
import { copyDatabase, emptyTables, type CopyTables, type RowCounts } from '#platform/database/copy.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases, type TestDatabase } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { authorizeUrl, basic, codeFor, post, query, redeem, refresh, tokensFor } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

/** BACKUP_ROUNDS=20 is the full count. */
const ROUNDS = Number(process.env['BACKUP_ROUNDS'] ?? 2)

const restoring = { migrations: MIGRATIONS, without: ENDED_BY_A_RESTORE }
const settings = { MASTER_KEY: randomBytes(32).toString('base64url'), REGISTRATION: 'token' }

describe.each(databases)('F30 a backup on $name', (kind) => {
  let app: TestApp
  let client: RegisteredClient
  let folder: string
  let restored: TestDatabase

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'latchkey-backup-'))
    app = await startApp(kind, { settings })
    restored = await kind.create()
    await createPerson(app.services)
    client = await createClient(app.services, { refresh_tokens: 'always', device_flow: true })
  })
  afterAll(async () => {
    await app.close()
    await restored.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string) => path.join(folder, name)
  const make = (name: string): Promise<RowCounts> => {
    const sourceUrl = app.config.databaseUrl.reveal()
    return on(sourceUrl, (source) => backUp({ ...restoring, source, sourceUrl, file: file(name), replace: false }))
  }

  test(
    'holds one moment of a database that is written to all the time',
    async () => {
      let written = 0
      let writing = true
      const load = (async () => {
        for (; writing; written += 1) {
          await addPair(app, written)
          await sleep(1)
        }
      })()
      try {
        for (let round = 0; round < ROUNDS; round += 1) {
          const before = written
          const { groups } = await make(`round-${round}.db`)
          expect(Number(groups) % 2, 'they come in pairs').toBe(0)
          expect(groups).toBeGreaterThanOrEqual(2 * before)
          expect(statSync(file(`round-${round}.db`)).mode & 0o777).toBe(0o600)
        }
        expect(written).toBeGreaterThan(ROUNDS)
      } finally {
        writing = false
        await load
      }
      expect(readdirSync(folder)).toHaveLength(ROUNDS)
    },
    60_000 + ROUNDS * 5_000,
  )

  test('comes back with people, clients, consents and keys, and with nothing that lets anybody in', async () => {
    const browser = browserSession(app.issuer)
    const held = await holdOfEach(browser)
    const left = await holdOfEach(browserSession(app.issuer))
    const registration = (await app.services.registrationTokens.create({ uses: 1 })).value
    await make('evening.db')
    for (const use of usesOf(app, held, registration)) {
      const { status, body } = await use()
      expect(status, body).toBeLessThan(400)
    }

    await on(`sqlite:${file('evening.db')}`, (source) =>
      on(restored.url, (target) => copyDatabase({ ...restoring, source, target })),
    )
    const again = await startApp(kind, { settings: { ...settings, DATABASE_URL: restored.url } })
    try {
      for (const things of [held, left])
        for (const use of usesOf(again, things, registration)) {
          const { status, body } = await use()
          expect([400, 401, 403], body).toContain(status)
          expect(body).toMatch(/invalid_grant|invalid_request_uri|invalid_token/)
        }
      const cookies = [...browser.cookies.values()]
      const page = await browserSession(again.issuer, {}, cookies).open(authorizeUrl(again, client))
      expect(page.body, 'the session is over').toContain('id="sign-in"')
      const signedIn = await browserSession(again.issuer).open(authorizeUrl(again, client))
      expect(signedIn.body).toContain('id="sign-in"')
      const { idToken } = await tokensFor(again, client)
      expect(keyId(idToken)).toBe(keyId(held.idToken))
      const ada = await again.services.accounts.find('ada')
      expect(await again.services.consents.find(ada?.id ?? '', client.client.id)).toMatchObject({
        scopes: expect.arrayContaining(['profile']),
      })
    } finally {
      await again.close()
    }
  })

  test('what came back by other means has nothing to spend either, once latchkey was told', async () => {
    const held = await holdOfEach(browserSession(app.issuer))
    const registration = (await app.services.registrationTokens.create({ uses: 1 })).value
    const ended = await on(app.config.databaseUrl.reveal(), (database) => emptyTables(database, ENDED_BY_A_RESTORE))
    expect(ended).toMatchObject({ registration_tokens: expect.any(Number), artifacts: expect.any(Number) })
    for (const use of usesOf(app, held, registration)) expect((await use()).status).toBeGreaterThanOrEqual(400)
    await tokensFor(app, client)
  })

  interface Held {
    readonly code: string
    readonly refreshToken: string
    readonly requestUri: string
    readonly deviceCode: string
    readonly idToken: string
  }

  /** One of each thing that can be used once, not used yet. */
  async function holdOfEach(browser: BrowserSession): Promise<Held> {
    const { refreshToken, idToken } = await tokensFor(app, client, {}, browser)
    const code = await codeFor(app, client, {}, browser)
    const asked = Object.fromEntries(new URL(authorizeUrl(app, client)).searchParams)
    const pushed = await post(`${app.issuer}/par`, asked, basic(client))
    const device = await authorizeDevice(app, client)
    const question = await browser.submit(await browser.open(device.complete), { confirm: 'yes' })
    if (question.body.includes('id="consent"')) await browser.submit(question, { decision: 'allow' })
    return {
      code,
      refreshToken,
      idToken,
      requestUri: String(pushed.json['request_uri']),
      deviceCode: device.deviceCode,
    }
  }

  function usesOf(
    host: TestApp,
    held: Held,
    registration: string,
  ): (() => Promise<{ status: number; body: string }>)[] {
    return [
      () => redeem(host, client, held.code),
      () => refresh(host, client, held.refreshToken),
      () => pollDevice(host, client, held.deviceCode),
      async () => {
        const browser = browserSession(host.issuer)
        const url = `${host.issuer}/authorize?${query({ client_id: client.client.id, request_uri: held.requestUri })}`
        const page = await browser.open(url)
        return page.body.includes('id="sign-in"') ? signIn(browser, page) : page
      },
      () => register(host, registration),
    ]
  }
})

async function register(host: TestApp, value: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${host.issuer}/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${value}`, 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Itself', redirect_uris: ['https://app.example/callback'] }),
  })
  return { status: answer.status, body: await answer.text() }
}

/** Two rows in two statements of one transaction: no moment has one of them. */
async function addPair({ services: { database } }: TestApp, pair: number): Promise<void> {
  await database.db.transaction().execute(async (transaction) => {
    for (const id of [`${pair}-one`, `${pair}-two`])
      await transaction.insertInto('groups').values({ id, name: id, created_at: 1 }).execute()
  })
}

async function on<T>(url: string, work: (database: Database<CopyTables>) => Promise<T>): Promise<T> {
  const database = openDatabase<CopyTables>(url, () => {})
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

function keyId(jwt: string): unknown {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid
}
