// What an answer of the token endpoint stands on is stored in one commit before it is given; after a failure nothing of
// the request is left. What a killed process leaves is in durability.test.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { commitsIn } from '../support/commits.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  basic,
  codeFor,
  post,
  redeem,
  refresh,
  token,
  tokensFor,
  tokensIn,
  userinfo,
  type Answer,
} from '../support/protocol.ts'
import { refusedRows } from '../support/refused-rows.ts'

describe.each(databases)('the answer to a token request on $name', (kind) => {
  let app: TestApp
  let client: RegisteredClient
  let browser: BrowserSession

  beforeAll(async () => {
    app = await startApp(kind, { settings: { TOKENS_REFRESH_REUSE_SECONDS: '0' } })
    await createPerson(app.services)
    client = await createClient(app.services, { first_party: true, refresh_tokens: 'always' })
    browser = browserSession(app.issuer)
    await browser.submit(await browser.open(authorizeUrl(app, client)), { username: 'ada', password: PASSWORD })
  })
  afterAll(() => app.close())
  afterEach(() => rows.takeAgain())

  const db = () => app.services.database.db
  const rows = refusedRows(kind, db)
  const refuseToWrite = (model: string): Promise<void> => rows.refuse('artifacts', 'model', model)
  const state = async () => {
    const artifacts = await db().selectFrom('artifacts').select(['id', 'model', 'consumed_at']).orderBy('id').execute()
    await app.services.claimReceipts.flush()
    return { artifacts, receipts: (await app.services.claimReceipts.list({})).items.length }
  }
  const expectNothingStored = async (ask: () => Promise<Answer>): Promise<void> => {
    const before = await state()
    const answer = await ask()
    expect(answer).toMatchObject({ status: 503, json: { error: 'temporarily_unavailable' } })
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await state()).toEqual(before)
    await rows.takeAgain()
    const again = await ask()
    expect(again.status, again.body).toBe(200)
  }

  test.each(['AccessToken', 'RefreshToken'])(
    'leaves nothing of a code flow whose %s cannot be stored',
    async (model) => {
      const code = await codeFor(app, client, {}, browser)
      await refuseToWrite(model)
      await expectNothingStored(() => redeem(app, client, code))
    },
  )

  test('leaves nothing of a token for a service that cannot be stored', async () => {
    const service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    await refuseToWrite('ClientCredentials')
    await expectNothingStored(() => post(`${app.issuer}/token`, { grant_type: 'client_credentials' }, basic(service)))
  })

  test.each(['AccessToken', 'RefreshToken'])('leaves nothing of a refresh whose %s cannot be stored', async (model) => {
    const { refreshToken } = await tokensFor(app, client, {}, browser)
    await refuseToWrite(model)
    await expectNothingStored(() => refresh(app, client, refreshToken))
  })

  test('keeps what a refusal ended', async () => {
    const code = await codeFor(app, client, {}, browser)
    const { accessToken, refreshToken } = tokensIn(await redeem(app, client, code))
    const refused = { status: 400, json: { error: 'invalid_grant' } }
    expect(await redeem(app, client, code)).toMatchObject(refused)
    expect((await userinfo(app, accessToken)).status).toBe(401)
    expect(await refresh(app, client, refreshToken)).toMatchObject(refused)
  })

  test('is of whole families where some are revoked while others refresh', async () => {
    const lines = await Promise.all(
      Array.from({ length: 4 }, async () => (await tokensFor(app, client, {}, browser)).refreshToken),
    )
    const answers = await Promise.all(
      lines.flatMap((line) => [
        refresh(app, client, line),
        post(`${app.issuer}/revoke`, { token: line }, basic(client)),
        refresh(app, client, line),
        post(`${app.issuer}/revoke`, { token: line }, basic(client)),
      ]),
    )
    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 400)).toEqual([])
    for (const answer of answers) {
      const { refreshToken } = tokensIn(answer)
      if (refreshToken !== '') expect((await refresh(app, client, refreshToken)).status).toBe(400)
    }
  })

  test.runIf(kind.name === 'sqlite')(
    'comes after a sign-in of four: request, guess, sign-in, session and code',
    async () => {
      const url = app.config.databaseUrl.reveal()
      const stranger = browserSession(app.issuer)
      await app.services.claimReceipts.flush()
      const before = commitsIn(url)
      const page = await stranger.open(authorizeUrl(app, client))
      const signedIn = await stranger.submit(page, { username: 'ada', password: PASSWORD })
      expect(locationOf(signedIn).searchParams.has('code')).toBe(true)
      // a job may have come between
      expect(commitsIn(url) - before).toBeLessThanOrEqual(6)
      expect(commitsIn(url) - before).toBeGreaterThanOrEqual(4)
    },
  )

  test.runIf(kind.name === 'sqlite')('leaves a browser as it was where a sign-in cannot be stored', async () => {
    const asking = await createClient(app.services)
    const answer = await browser.open(authorizeUrl(app, asking))
    const form = { ...hiddenFields(answer.body), decision: 'allow' }
    const allowed = await browser.request(`${answer.url}/consent`, { method: 'POST', body: new URLSearchParams(form) })
    const before = await state()
    // a batch that takes in whoever comes, until somebody in it fails
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    const resumed = Promise.withResolvers<void>()
    const failing = app.services.database.together(async () => {
      await db().deleteFrom('artifacts').where('id', '=', 'none').execute()
      await resumed.promise
      return false
    })
    await sleep(0)
    const said = vi.spyOn(app.services.log, 'info')
    const failed = browser.request(locationOf(allowed).href)
    await sleep(300)
    clock.mockRestore()
    resumed.resolve()
    await failing
    const { status, headers } = await failed
    expect([status, headers.get('retry-after'), headers.get('set-cookie'), headers.get('location')]).toEqual([
      503,
      '1',
      null,
      null,
    ])
    expect(await state()).toEqual(before)
    expect(said).not.toHaveBeenCalledWith(expect.anything(), 'signed in to a client')
    expect(locationOf(await browser.open(locationOf(allowed).href)).searchParams.has('code')).toBe(true)
    expect(said).toHaveBeenCalledWith(expect.anything(), 'signed in to a client')
    said.mockRestore()
  })

  test.runIf(kind.name === 'sqlite')('shares its commit with others at the same moment', async () => {
    const service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    const url = app.config.databaseUrl.reveal()
    const before = commitsIn(url)
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => token(app, service, { grant_type: 'client_credentials' })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 32 }, () => 200))
    expect(commitsIn(url) - before).toBeGreaterThan(0)
    expect(commitsIn(url) - before).toBeLessThan(24)
  })
})
