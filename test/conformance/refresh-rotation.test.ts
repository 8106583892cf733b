// Rotation of refresh tokens over HTTP: one successor, yielded again to whoever asks again inside the window; after it
// a second use ends the whole line. And what may not spend a token or a code: another client, a wrong verifier.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases, type DatabaseKind } from '../support/databases.ts'
import { authorizeUrl, codeFor, redeem, refresh, tokensFor, tokensIn, userinfo } from '../support/protocol.ts'

interface Scene {
  readonly app: TestApp
  readonly client: RegisteredClient
  readonly other: RegisteredClient
  readonly browser: BrowserSession
}

async function openScene(kind: DatabaseKind, windowSeconds: number): Promise<Scene> {
  const app = await startApp(kind, { settings: { TOKENS_REFRESH_REUSE_SECONDS: String(windowSeconds) } })
  await createPerson(app.services)
  const client = await createClient(app.services, { first_party: true, refresh_tokens: 'always' })
  const other = await createClient(app.services, { name: 'Another', first_party: true, refresh_tokens: 'always' })
  const browser = browserSession(app.issuer)
  await browser.submit(await browser.open(authorizeUrl(app, client)), { username: 'ada', password: PASSWORD })
  return { app, client, other, browser }
}

/** Turns the clock of this process, in which the server runs, without stopping its timers. */
function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
}

describe.each(databases)('refresh tokens on $name', (kind) => {
  let scene: Scene

  beforeAll(async () => {
    scene = await openScene(kind, 10)
  })
  afterAll(() => scene.app.close())
  afterEach(() => void vi.useRealTimers())

  const begin = async () => (await tokensFor(scene.app, scene.client, {}, scene.browser)).refreshToken
  const use = async (token: string, client = scene.client) => refresh(scene.app, client, token)
  const successorOf = async (token: string): Promise<string> => {
    const answer = await use(token)
    expect(answer.status, answer.body).toBe(200)
    return tokensIn(answer).refreshToken
  }
  const refused = { status: 400, json: { error: 'invalid_grant' } }

  test('a token used again inside the window yields its one successor again, which works', async () => {
    const first = await begin()
    const second = await successorOf(first)
    expect(second).not.toBe(first)
    expect(await successorOf(first)).toBe(second)
    later(8)
    expect(await successorOf(first)).toBe(second)
    const third = await successorOf(second)
    expect(new Set([first, second, third]).size).toBe(3)
  })

  test('each answer to a repeated use carries an access token that works', async () => {
    const first = await begin()
    for (const answer of [await use(first), await use(first)]) {
      expect((await userinfo(scene.app, tokensIn(answer).accessToken)).status).toBe(200)
    }
  })

  test('A50 refuses a token used again after the window, and ends the family and its access tokens', async () => {
    const first = await begin()
    const answer = await use(first)
    const second = tokensIn(answer)
    const third = await successorOf(second.refreshToken)
    later(11)
    expect(await use(first)).toMatchObject(refused)
    expect(await use(third)).toMatchObject(refused)
    expect(await use(second.refreshToken)).toMatchObject(refused)
    expect((await userinfo(scene.app, second.accessToken)).status).toBe(401)
  })

  test('the end of one family leaves the other families of the same person and client alone', async () => {
    const [doomed, kept] = [
      await begin(),
      (await tokensFor(scene.app, scene.client, {}, await signedIn(scene))).refreshToken,
    ]
    await successorOf(doomed)
    later(11)
    expect(await use(doomed)).toMatchObject(refused)
    await successorOf(kept)
  })

  test('a successor cannot be guessed from the token that it follows', async () => {
    const first = await begin()
    const second = await successorOf(first)
    expect(second).toMatch(/^[\w-]{43}$/)
    expect(second).not.toContain(first)
  })

  test('the library still asks its model for the next token in the way that we answer', async () => {
    // the hook of oidc/provider.ts is no documented one: without it each use would make a successor of its own
    const first = await begin()
    const answers = await Promise.all([use(first), use(first), use(first)])
    expect(new Set(answers.map((answer) => tokensIn(answer).refreshToken)).size).toBe(1)
  })

  test('A53 refuses a token of another client, and does not spend it', async () => {
    const first = await begin()
    expect(await use(first, scene.other)).toMatchObject(refused)
    later(11)
    await successorOf(first)
  })

  test('A48 refuses a code of another client, and does not spend it', async () => {
    const code = await codeFor(scene.app, scene.client, {}, scene.browser)
    expect(await redeem(scene.app, scene.other, code)).toMatchObject(refused)
    expect((await redeem(scene.app, scene.client, code)).status).toBe(200)
  })

  test.each([
    ['a wrong verifier', { code_verifier: 'x'.repeat(43) }],
    ['no verifier', { code_verifier: undefined }],
    ['another redirect URI', { redirect_uri: 'http://localhost:9/elsewhere' }],
  ])('A48 refuses a code with %s, and does not spend it', async (_, changes) => {
    const code = await codeFor(scene.app, scene.client, {}, scene.browser)
    expect(await redeem(scene.app, scene.client, code, changes)).toMatchObject(refused)
    expect((await redeem(scene.app, scene.client, code)).status).toBe(200)
  })

  test('A46 refuses a code presented again, and ends what the first use gave', async () => {
    const code = await codeFor(scene.app, scene.client, {}, scene.browser)
    const given = tokensIn(await redeem(scene.app, scene.client, code))
    expect((await userinfo(scene.app, given.accessToken)).status).toBe(200)
    later(30)
    expect(await redeem(scene.app, scene.client, code)).toMatchObject(refused)
    expect((await userinfo(scene.app, given.accessToken)).status).toBe(401)
    expect(await use(given.refreshToken)).toMatchObject(refused)
  })

  test('A48 refuses a code that is 61 seconds old', async () => {
    const code = await codeFor(scene.app, scene.client, {}, scene.browser)
    later(61)
    expect(await redeem(scene.app, scene.client, code)).toMatchObject(refused)
  })
})

describe.each(databases)('refresh tokens without a window on $name', (kind) => {
  test('a second use is refused at once and ends the family', async () => {
    const scene = await openScene(kind, 0)
    try {
      const { refreshToken } = await tokensFor(scene.app, scene.client, {}, scene.browser)
      const first = await refresh(scene.app, scene.client, refreshToken)
      expect(first.status).toBe(200)
      expect(await refresh(scene.app, scene.client, refreshToken)).toMatchObject({
        status: 400,
        json: { error: 'invalid_grant' },
      })
      const successor = await refresh(scene.app, scene.client, tokensIn(first).refreshToken)
      expect(successor).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    } finally {
      await scene.app.close()
    }
  })
})

async function signedIn({ app, client }: Scene): Promise<BrowserSession> {
  const browser = browserSession(app.issuer)
  await browser.submit(await browser.open(authorizeUrl(app, client)), { username: 'ada', password: PASSWORD })
  return browser
}
