// Bodies and bytes that no client of good will sends: refused by kind and size, and the server lives on.
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, basic, bystander, expectNothingGiven, send } from '../support/protocol.ts'

describe('requests that are none', () => {
  let app: TestApp
  let service: RegisteredClient
  let web: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    await createPerson(app.services)
    service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    web = await createClient(app.services)
    stillWorks = await bystander(app)
  })
  afterEach(() => stillWorks())
  afterAll(() => app.close())

  const GRANT = 'grant_type=client_credentials'
  const FORM = 'application/x-www-form-urlencoded'

  test.each<[string, string, string | Buffer<ArrayBuffer>]>([
    ['JSON', 'application/json', '{"grant_type":"client_credentials"}'],
    [
      'multipart',
      'multipart/form-data; boundary=x',
      `--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--x--\r\n`,
    ],
    ['plain text', 'text/plain', GRANT],
    ['UTF-16', FORM, Buffer.from(GRANT, 'utf16le')],
    ['58 kB', FORM, `${GRANT}&x=${'x'.repeat(58_000)}`],
    ['100,000 parameters', FORM, `${GRANT}${'&a=1'.repeat(100_000)}`],
    ['nothing', FORM, ''],
    ['a type that is none', 'x', GRANT],
  ])('A62 refuses a token request of %s', async (_, type, body) => {
    for (const path of ['/token', '/introspect', '/revoke', '/par']) {
      const answer = await send(`${app.issuer}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': type, ...basic(service) },
      })
      expectNothingGiven(answer)
      expect([400, 401, 413, 415], `${path}: ${answer.body}`).toContain(answer.status)
    }
  })

  test('A62 refuses a body that is packed', async () => {
    const answer = await send(`${app.issuer}/token`, {
      method: 'POST',
      body: gzipSync(GRANT),
      headers: { 'content-type': FORM, 'content-encoding': 'gzip', ...basic(service) },
    })
    expectNothingGiven(answer)
    expect([400, 413, 415]).toContain(answer.status)
  })

  test.each([
    '__proto__[a]=1',
    '__proto__=1',
    'constructor[prototype][a]=1',
    'a[b][c]=1',
    'a.b=1',
    '%00=%00',
    '%E0%A4%A=1',
    '&&&===',
    `${'[a]'.repeat(2_000)}=1`,
  ])('A62 keeps objects clean with %j in a body', async (extra) => {
    const answer = await send(`${app.issuer}/token`, {
      method: 'POST',
      body: `${GRANT}&${extra}`,
      headers: { 'content-type': FORM, ...basic(service) },
    })
    expect(answer.status).toBeLessThan(500)
    const browser = browserSession(app.issuer)
    const page = await browser.open(authorizeUrl(app, web))
    const form = new URLSearchParams({ ...hiddenFields(page.body), username: 'ada', password: 'wrong password' })
    const signIn = await browser.request(`${page.url}/password`, {
      method: 'POST',
      body: `${form.toString()}&${extra}`,
      headers: { 'content-type': FORM },
    })
    expectNothingGiven(signIn)
    expect([400, 422, 429]).toContain(signIn.status)
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })

  test('refuses a sign-in form of 60 kB, and one with a field twice', async () => {
    const browser = browserSession(app.issuer)
    const page = await browser.open(authorizeUrl(app, web))
    const send60 = await browser.request(`${page.url}/password`, {
      method: 'POST',
      body: new URLSearchParams({ ...hiddenFields(page.body), username: 'x'.repeat(60_000) }),
    })
    expectNothingGiven(send60)
    expect(send60.status).toBe(413)
    const twice = `${new URLSearchParams(hiddenFields(page.body)).toString()}&username=ada&username=eve&password=x`
    const answer = await browser.request(`${page.url}/password`, {
      method: 'POST',
      body: twice,
      headers: { 'content-type': FORM },
    })
    expectNothingGiven(answer)
    expect(answer.status).toBe(400)
  })

  /** Sends bytes and reads until the server closes, or stays silent for a moment. */
  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = ''
      const socket = connect(Number(new URL(app.issuer).port), 'localhost', () => socket.write(bytes, 'latin1'))
      const finish = () => {
        socket.destroy()
        resolve(answer)
      }
      socket.setTimeout(700, finish)
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
      socket.on('close', finish)
      socket.on('error', finish)
    })

  test('A113 answers pipelined requests one by one, whatever Host they claim', async () => {
    const answer = await raw(
      'GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n',
    )
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    expect(answer).not.toContain('evil.example')
  })

  test('A62 survives a body that ends before its length', async () => {
    const answer = await raw(
      `POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM}\r\nContent-Length: 500\r\n\r\n${GRANT}`,
    )
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
  })
})
