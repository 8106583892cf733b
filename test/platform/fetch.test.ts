// The one way out of the server: what it may reach, by whatever name. (The rules of addresses: fetch-addresses.test.ts.)
import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { guardedFetch, type OutboundRules, type ResolvedAddress } from '#platform/fetch.ts'
import { listening, refusal, stopped } from '../support/outbound.ts'

const LOOPBACK = ['127.0.0.0/8', '::1']
const TIMEOUT_MS = 600

function outbound(rules: Partial<OutboundRules> = {}) {
  return guardedFetch({ allow: [], timeoutMs: TIMEOUT_MS, maxBytes: 65_536, ...rules })
}

describe('a listener on this machine', () => {
  let canary: Server
  let port: number
  let hits = 0

  beforeAll(async () => {
    canary = createServer((_request, response) => {
      hits += 1
      response.end('hello')
    })
    canary.on('connection', () => (hits += 1))
    port = await listening(canary)
  })
  afterAll(() => stopped(canary))
  afterEach(() => void (hits = 0))

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '017700000001',
    '%31%32%37.0.0.1',
    '①②⑦.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    'localhost',
    'LOCALHOST',
  ])('A78 is not reached as %s', async (host) => {
    expect(await refusal(outbound()(`https://${host}:${port}/`))).toBe('address')
    expect(await refusal(outbound()(`http://${host}:${port}/`))).toBe('address')
    expect(hits).toBe(0)
  })

  test('A78 is not reached by a name that answers with it, and no address of such a name is public', async () => {
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '10.0.0.1', 'fe80::1%lo'])
      expect(await refusal(outbound({ resolve: answering([address]) })(`https://app.example:${port}/`))).toBe('address')
    expect(hits).toBe(0)
  })

  test('A78 is not reached by a name that answers with public addresses too: only those are tried', async () => {
    const call = outbound({ resolve: answering(['127.0.0.1', '2001:db8::1', '::1']), allow: ['2001:db8::/32'] })
    expect(await refusal(call(`http://app.example:${port}/`))).toMatch(/timeout|unreachable/)
    expect(hits).toBe(0)
  })

  test('A78 is not reached by a name that changes its answer after it was checked', async () => {
    let asked = 0
    const resolve = async () => addresses([(asked += 1) === 1 ? '2001:db8::1' : '127.0.0.1'])
    const call = outbound({ resolve, allow: ['2001:db8::/32'] })
    expect(await refusal(call(`http://app.example:${port}/`))).toMatch(/timeout|unreachable/)
    expect(asked).toBe(1)
    expect(await refusal(call(`http://app.example:${port}/`))).toBe('address')
    expect(hits).toBe(0)
  })

  test('is reached by http where the operator has named its address', async () => {
    const call = outbound({ allow: LOOPBACK, resolve: answering(['127.0.0.1']) })
    const response = await call(`http://app.example:${port}/`)
    expect([response.status, await response.text()]).toEqual([200, 'hello'])
  })

  test('is not reached through a proxy that the environment names', async () => {
    for (const name of ['HTTP_PROXY', 'http_proxy']) vi.stubEnv(name, `http://127.0.0.1:${port}`)
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    try {
      const call = outbound({ allow: ['127.0.0.2'] })
      expect(await refusal(call(`http://127.0.0.2:${await unusedPort()}/`))).toBe('unreachable')
      expect(hits).toBe(0)
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

describe('a URL', () => {
  test.each([
    'ftp://app.example/',
    'file:///etc/passwd',
    'data:,x',
    'javascript:1',
    'nonsense',
    'https://u:p@app.example/',
  ])('%s is refused before anything is resolved', async (url) => {
    const resolve = async (): Promise<never> => {
      throw new Error('it was resolved')
    }
    expect(await refusal(outbound({ resolve })(url))).toBe('bad_url')
  })

  test('of http is refused for a public address', async () => {
    expect(await refusal(outbound({ resolve: answering(['8.8.8.8']) })('http://app.example/'))).toBe('address')
  })

  test('whose name is not known, or is never answered, comes to an end', async () => {
    const unknown = async (): Promise<never> => {
      throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    }
    expect(await refusal(outbound({ resolve: unknown })('https://app.example/'))).toBe('unreachable')
    const silent = () => new Promise<never>(() => {})
    expect(await refusal(outbound({ resolve: silent })('https://app.example/'))).toBe('timeout')
  })
})

function answering(list: readonly string[]): () => Promise<ResolvedAddress[]> {
  return async () => addresses(list)
}

function addresses(list: readonly string[]): ResolvedAddress[] {
  return list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
}

async function unusedPort(): Promise<number> {
  const server = createTcpServer()
  const port = await listening(server)
  await stopped(server)
  return port
}
