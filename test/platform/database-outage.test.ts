// The database is busy or away: requests wait or hear 503 with Retry-After, the rest of the server goes on, nothing
// that was promised is lost, and everything works again by itself.
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { behindLine, type DatabaseLine } from '../support/database-line.ts'
import { databases, type DatabaseKind } from '../support/databases.ts'
import { authorizeUrl, refresh, send, tokensFor, tokensIn, userinfo } from '../support/protocol.ts'

interface Scene {
  readonly app: TestApp
  readonly client: RegisteredClient
}

async function openScene(kind: DatabaseKind): Promise<Scene> {
  const app = await startApp(kind)
  await createPerson(app.services)
  return { app, client: await createClient(app.services, { first_party: true, refresh_tokens: 'always' }) }
}

const jwks = ({ app }: Scene) => send(`${app.issuer}/.well-known/jwks.json`)

/** The answer of a server whose database is away, on each kind of endpoint. */
async function expectUnavailable({ app, client }: Scene, refreshToken: string, accessToken: string): Promise<void> {
  const answers = await Promise.all([
    send(authorizeUrl(app, client), { headers: { accept: 'text/html' } }),
    refresh(app, client, refreshToken),
    userinfo(app, accessToken),
  ])
  for (const answer of answers) {
    expect(answer.status, answer.body).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(answer.body).toContain('temporarily_unavailable')
    expect(answer.body).not.toMatch(/ECONN|SQLITE|postgres|select |node_modules|\.ts:/i)
  }
  expect(answers[0].body).toContain('data-error="temporarily_unavailable"')
}

describe.each(databases.filter(({ name }) => name === 'sqlite'))(
  'F7 while another process holds the lock of $name',
  (kind) => {
    let scene: Scene

    beforeAll(async () => {
      scene = await openScene(kind)
    })
    afterAll(() => scene.app.close())

    test('for a second, requests wait for it and succeed, and nobody else waits', async () => {
      const { refreshToken, accessToken } = await tokensFor(scene.app, scene.client)
      const release = await lockElsewhere(scene.app.config.databaseUrl.reveal().slice('sqlite:'.length))
      let answered = 0
      const waiting = Promise.all(
        [1, 2].map(() => refresh(scene.app, scene.client, refreshToken).finally(() => (answered += 1))),
      )
      for (let round = 0; round < 10; round += 1) {
        expect((await jwks(scene)).status).toBe(200)
        expect((await userinfo(scene.app, accessToken)).status).toBe(200)
      }
      expect(answered).toBe(0)
      await release()
      expect((await waiting).map(({ status }) => status)).toEqual([200, 200])
    })

    test('for longer, every request hears 503, however many wait, and works again afterwards', async () => {
      const { refreshToken } = await tokensFor(scene.app, scene.client)
      const release = await lockElsewhere(scene.app.config.databaseUrl.reveal().slice('sqlite:'.length))
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => refresh(scene.app, scene.client, refreshToken)),
      )
      await release()
      for (const answer of answers) {
        expect(answer.status, answer.body).toBe(503)
        expect(answer.headers.get('retry-after')).toBe('2')
        expect(answer.json).toMatchObject({ error: 'temporarily_unavailable' })
      }
      expect((await refresh(scene.app, scene.client, refreshToken)).status).toBe(200)
    })
  },
)

describe.each(databases.filter(({ name }) => name === 'postgres'))('while $name is away', (kind) => {
  let scene: Scene
  let line: DatabaseLine

  beforeAll(async () => {
    scene = await openScene({
      ...kind,
      async create() {
        const { database, line: made } = await behindLine(await kind.create())
        line = made
        return database
      },
    })
  })
  afterAll(async () => {
    await scene.app.close()
  })

  test('F11 requests hear 503 with Retry-After, JWKS and health go on, and all works once it is back', async () => {
    const { refreshToken, accessToken } = await tokensFor(scene.app, scene.client)
    await line.cut()
    await expectUnavailable(scene, refreshToken, accessToken)
    expect((await jwks(scene)).status).toBe(200)
    expect((await send(`${scene.app.issuer}/healthz`)).status).toBe(200)
    const notReady = await send(`${scene.app.issuer}/readyz`)
    expect([notReady.status, notReady.headers.get('retry-after')]).toEqual([503, '2'])
    await line.mend()
    const answer = await refresh(scene.app, scene.client, refreshToken)
    expect(answer.status, answer.body).toBe(200)
    expect(tokensIn(answer).refreshToken).not.toBe('')
    expect((await send(`${scene.app.issuer}/readyz`)).status).toBe(200)
  })

  test('F14 while the line swallows everything requests hear 503, JWKS goes on, and all works once it is healed', async () => {
    const { refreshToken, accessToken } = await tokensFor(scene.app, scene.client)
    line.swallow()
    const waiting = expectUnavailable(scene, refreshToken, accessToken)
    expect((await jwks(scene)).status).toBe(200)
    await waiting
    line.heal()
    const answer = await refresh(scene.app, scene.client, refreshToken)
    expect(answer.status, answer.body).toBe(200)
  })

  test('F12 connections that are cut under load cost some answers 503, never 500, and nobody the server', async () => {
    let { refreshToken } = await tokensFor(scene.app, scene.client)
    const statuses = new Map<number, number>()
    const until = performance.now() + 2_000
    const loads = Array.from({ length: 6 }, async () => {
      while (performance.now() < until) {
        const answer = await refresh(scene.app, scene.client, refreshToken)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      }
    })
    const cuts = (async () => {
      // ever rarer, so that on a machine of any speed some requests get through between two of them
      for (let pause = 50; performance.now() < until; pause *= 1.5) {
        await sleep(pause)
        line.drop()
      }
    })()
    await Promise.all([...loads, cuts])
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(statuses.get(200)).toBeGreaterThan(0)
    refreshToken = tokensIn(await refresh(scene.app, scene.client, refreshToken)).refreshToken
    expect((await refresh(scene.app, scene.client, refreshToken)).status).toBe(200)
  })
})

/**
 * Holds the write lock of the file in a process of its own until the returned function is called. It has to be another
 * process: two copies of the SQLite library in one process do not see each other's locks.
 */
async function lockElsewhere(file: string): Promise<() => Promise<void>> {
  const script = `const { DatabaseSync } = require('node:sqlite')
    const database = new DatabaseSync(process.argv[1])
    database.exec('pragma busy_timeout = 5000')
    database.exec('begin immediate')
    process.stdout.write('locked')
    process.stdin.once('data', () => { database.exec('commit'); database.close(); process.exit() })`
  const child = spawn(process.execPath, ['--no-warnings', '--eval', script, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return async () => {
    child.stdin.write('go')
    await closed
  }
}
