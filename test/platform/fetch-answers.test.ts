// How much of an answer the server takes, and for how long.
import { createServer, type Server, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import tls from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { guardedFetch } from '#platform/fetch.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { listening, refusal, stopped } from '../support/outbound.ts'

const TIMEOUT_MS = 600

describe('an answer', () => {
  const rules = { allow: ['127.0.0.1'], timeoutMs: TIMEOUT_MS, maxBytes: 65_536 }
  const call = guardedFetch(rules)
  const servers: Server[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await stopped(server)
  })

  async function serving(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    servers.push(server)
    return `http://127.0.0.1:${await listening(server)}`
  }

  test('of a POST arrives with status, headers and body; the request had its type and its length', async () => {
    const url = await serving((request, response) => {
      request.setEncoding('utf8').on('data', (sent: string) => {
        response.setHeader('set-cookie', ['a=1', 'b=2'])
        response.writeHead(201, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ sent, headers: request.headers, method: request.method }))
      })
    })
    const response = await call(url, {
      method: 'POST',
      headers: { 'user-agent': '' },
      body: new URLSearchParams({ logout_token: 'a b' }),
    })
    expect(response.status).toBe(201)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response.json()).toMatchObject({
      sent: 'logout_token=a+b',
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        'content-length': '16',
        'accept-encoding': 'identity',
      },
    })
  })

  test('that redirects is given back and not followed', async () => {
    let hits = 0
    const inside = await serving((_request, response) => {
      hits += 1
      response.end()
    })
    const url = await serving((_request, response) => response.writeHead(302, { location: inside }).end())
    expect((await call(url)).status).toBe(302)
    expect(hits).toBe(0)
  })

  test('without a body has none', async () => {
    const url = await serving((_request, response) => response.writeHead(204).end())
    const response = await call(url)
    expect([response.status, response.body]).toEqual([204, null])
  })

  test('that never begins ends at the deadline', async () => {
    const url = await serving(() => {})
    expect(await refusal(call(url))).toBe('timeout')
  })

  test('that drips ends at the same deadline, however often a byte comes', async () => {
    const url = await serving((_request, response) => {
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
    })
    const response = await call(url)
    expect(await refusal(response.text())).toBe('timeout')
  })

  test('ends when the caller no longer wants it', async () => {
    const url = await serving(() => {})
    const patient = guardedFetch({ ...rules, timeoutMs: 600_000 })
    expect(await refusal(patient(url, { signal: AbortSignal.timeout(50) }))).toBe('timeout')
  })

  test('of a gigabyte is cut off after 64 kB, whether somebody reads it or not', async () => {
    let sent = 0
    const chunk = Buffer.alloc(65_536, 'x')
    const closed = Promise.withResolvers<void>()
    const url = await serving((_request, response) => {
      const more = (): void => {
        while (sent < 2 ** 30 && !response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) return
        }
      }
      response.on('drain', more).on('close', () => closed.resolve())
      more()
    })
    const before = process.memoryUsage().rss
    const response = await call(url)
    await closed.promise
    expect(await refusal(response.arrayBuffer())).toBe('too_large')
    expect(sent).toBeLessThan(32 * 2 ** 20)
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * 2 ** 20)
  })

  test('that is a gzip bomb is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * 2 ** 20))
    const url = await serving((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(bomb),
    )
    const response = await call(url)
    expect((await response.arrayBuffer()).byteLength).toBe(bomb.length)
    await expect((await call(url)).json()).rejects.toThrow(SyntaxError)
  })

  test('A78 with endless headers, garbage for HTTP, another protocol, or cut off in the middle is an error and nothing worse', async () => {
    for (const answer of [
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
      'garbage\r\n\r\n',
      'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      '',
    ]) {
      const server = createTcpServer(
        (socket) =>
          void socket
            .on('error', () => {})
            .resume()
            .end(answer),
      )
      const port = await listening(server)
      expect(await refusal(call(`http://127.0.0.1:${port}/`))).toBe('unreachable')
      await stopped(server)
    }
    const cut = await serving((_request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half')
      setTimeout(() => response.destroy(), 50)
    })
    expect(await refusal((await call(cut)).text())).toBe('unreachable')
  })

  test('of a server whose certificate nobody vouches for is no answer, and its request is never read', async () => {
    let hits = 0
    const trusted = tls.getCACertificates('default')
    const { certificate, key } = await certificateOfLocalhost()
    const server = createTlsServer({ key, cert: certificate }, (_request, response) => {
      hits += 1
      response.end('hello')
    })
    const port = await listening(server)
    try {
      expect(await refusal(call(`https://localhost:${port}/`))).toBe('unreachable')
      expect(hits).toBe(0)
      tls.setDefaultCACertificates([...trusted, certificate])
      expect(await (await call(`https://localhost:${port}/`)).text()).toBe('hello')
      expect(await refusal(call(`https://127.0.0.1:${port}/`))).toBe('unreachable')
    } finally {
      tls.setDefaultCACertificates(trusted)
      await stopped(server)
    }
  })
})
