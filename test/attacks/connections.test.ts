// Connections that cost more than they should: slow, endless, malformed, too many. Each is bounded, and others are served.
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { boundConnections, SERVER_OPTIONS } from '#platform/http/connection-bounds.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, bystander, send } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe('the bounds of a connection', () => {
  let app: TestApp
  let web: RegisteredClient
  let stillWorks: () => Promise<void>
  const sockets: Socket[] = []

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
    stillWorks = await bystander(app)
  })
  afterEach(async () => {
    await stillWorks()
    for (const socket of sockets.splice(0)) socket.destroy()
  })
  afterAll(() => app.close())

  const open = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(app.issuer).port), 'localhost', () => resolve(socket))
      socket.on('error', reject)
      sockets.push(socket)
    })

  /** What the server says before it closes. */
  const said = async (bytes: string): Promise<string> => {
    const socket = await open()
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(bytes, 'latin1')
    await closed
    return answer
  }

  test('F34 are shorter than Node’s own: the head, the whole request, and a reader that does not read', () => {
    expect(SERVER_OPTIONS.headersTimeout).toBe(10_000)
    expect(SERVER_OPTIONS.requestTimeout).toBe(30_000)
    expect(SERVER_OPTIONS.connectionsCheckingInterval).toBeLessThan(5_000)
    const server = { maxConnections: 0, timeout: 0, setTimeout: (ms: number) => (server.timeout = ms) }
    // boundary: a server of which nothing else is asked
    boundConnections(server as unknown as Parameters<typeof boundConnections>[0])
    expect(server.timeout).toBe(15_000)
    expect(server.maxConnections).toBeGreaterThan(100)
  })

  const TOKEN = 'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n'

  test.each([
    [
      'A113 a length beside chunks',
      `${TOKEN}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`,
      400,
    ],
    ['A113 a length of nonsense', `${TOKEN}Content-Length: +5\r\n\r\nhello`, 400],
    ['A113 a space before the colon', 'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n', 400],
    ['A113 chunks by another name', `${TOKEN}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['A113 no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['A113 a NUL in a header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n', 400],
    ['A113 no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['A113 two lengths', `${TOKEN}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello`, 400],
    ['A113 a folded header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n', 400],
    ['A113 bare line feeds', 'GET /healthz HTTP/1.1\nHost: x\n\n', 400],
    ['A113 a chunk size of nonsense', `${TOKEN}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`, 400],
    ['A113 a flood of chunk extensions', `${TOKEN}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}\r\n`, 413],
    ['F35 headers of 20 kB', `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['F35 an address of 100 kB', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['F35 cookies of 30 kB', `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'a=bbbbbbbbbb; '.repeat(2_400)}\r\n\r\n`, 431],
    ['F34 a body that is announced as 1 GB', `${TOKEN}Content-Length: 1000000000\r\n\r\n${'a'.repeat(70_000)}`, 413],
    [
      'F34 chunks without an end',
      `${TOKEN}Transfer-Encoding: chunked\r\n\r\n${`400\r\n${'a'.repeat(1_024)}\r\n`.repeat(70)}`,
      413,
    ],
  ])('refuse %s, and close', async (_, bytes, status) => {
    const answer = await said(bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  test('F35 lets 400 cookies of others pass', async () => {
    const cookie = Array.from({ length: 400 }, (_, index) => `other${index}=${'v'.repeat(10)}`).join('; ')
    expect((await send(`${app.issuer}/`, { headers: { cookie } })).status).toBe(200)
  })

  test('F35 signs a person in after 60 sign-ins that they left, with cookies that did not pile up', async () => {
    const browser = browserSession(app.issuer)
    for (let left = 0; left < 60; left += 1) await browser.open(authorizeUrl(app, web))
    const page = await browser.open(authorizeUrl(app, web))
    const sent = [...browser.cookies.values()].filter(({ path }) => new URL(page.url).pathname.startsWith(path))
    expect(sent.length).toBeLessThan(6)
    expect(locationOf(await signIn(browser, page, 'ada')).searchParams.has('code')).toBe(true)
  })

  test('F33 go on serving beside 500 connections on which nothing comes', async () => {
    await Promise.all(Array.from({ length: 500 }, open))
    expect((await send(`${app.issuer}/.well-known/jwks.json`)).status).toBe(200)
  })
})
