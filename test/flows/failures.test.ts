// F38: whatever breaks inside a request, a bug included, is answered without detail, is logged with the id that the
// answer shows, and harms nobody else.
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import pino from 'pino'
import type { Feature } from '#core/feature.ts'
import type { Needs } from '#oidc/needs.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, codeFor, redeem, send, tokensFor, userinfo } from '../support/protocol.ts'

const DETAIL = 'a detail for nobody'

/** A room full of bugs. */
const faulty: Feature<Needs> = {
  word: 'faulty',
  routes: () => async (ctx, next) => {
    if (ctx.path === '/faulty/throws') throw new Error(DETAIL)
    if (ctx.path === '/faulty/rejects') await Promise.reject(new TypeError(DETAIL))
    if (ctx.path === '/faulty/view') await ctx.render('faulty/missing.ejs', {})
    if (ctx.path === '/faulty/error-page') {
      ctx.render = () => Promise.reject(new Error(DETAIL))
      throw new Error(DETAIL)
    }
    await next()
  },
}

describe.each(databases)('a server on $name', (kind) => {
  let app: TestApp
  let client: RegisteredClient
  const logged: string[] = []

  beforeAll(async () => {
    const stream = new Writable({ write: (line, _encoding, done) => (logged.push(String(line)), done()) })
    app = await startApp(kind, { more: [faulty], log: pino({ level: 'info' }, stream) })
    await createPerson(app.services)
    client = await createClient(app.services, { first_party: true })
  })
  afterAll(() => app.close())

  const serves = async () => {
    const { accessToken } = await tokensFor(app, client)
    expect((await userinfo(app, accessToken)).status).toBe(200)
  }

  test.each(['throws', 'rejects', 'view'])('answers a bug (%s) with the page of an error and its id', async (bug) => {
    const { status, body, headers } = await send(`${app.issuer}/faulty/${bug}`, { headers: { accept: 'text/html' } })
    expect(status).toBe(500)
    expect(body).toContain('data-error="server_error"')
    expect(body).not.toMatch(/a detail for nobody|missing\.ejs|node_modules|\.ts:/)
    const id = headers.get('x-request-id') ?? 'none'
    expect(body).toContain(`data-error-id="${id}"`)
    expect(logged.some((line) => line.includes(id) && line.includes('a request failed'))).toBe(true)
    await serves()
  })

  test('answers where the page of an error cannot be drawn either', async () => {
    const { status, body } = await send(`${app.issuer}/faulty/error-page`, { headers: { accept: 'text/html' } })
    expect({ status, body }).toEqual({ status: 500, body: 'Internal Server Error' })
    await serves()
  })

  test('answers a token request whose claims cannot be read with 503, and takes nothing for used', async () => {
    const broken = await createPerson(app.services, { username: 'broken', email: 'broken@example.com' })
    const code = await codeFor(app, client)
    const ada = await app.services.accounts.find('ada')
    const claims = (value: string, id: string) =>
      app.services.database.db.updateTable('accounts').set({ claims: value }).where('id', '=', id).execute()
    await claims('{', ada?.id ?? '')
    const answer = await redeem(app, client, code)
    expect(answer).toMatchObject({ status: 503, json: { error: 'temporarily_unavailable' } })
    expect(answer.body).not.toMatch(/JSON|node_modules|\.ts:/)
    await claims('{}', ada?.id ?? '')
    expect((await redeem(app, client, code)).status).toBe(200)
    await claims('{', broken.id)
    const page = await send(authorizeUrl(app, client, { prompt: 'none' }))
    expect(page.headers.get('location')).toContain('login_required')
    await serves()
  })
})
