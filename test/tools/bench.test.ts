// `npm run bench`, as short as it can be: that it runs, and that it believes no wrong answer. It measures nothing.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { httpClient, type HttpClient } from '../../tools/bench/http.ts'
import { loaded } from '../../tools/bench/load.ts'
import { claimsIn } from '../../tools/bench/operations/checks.ts'
import { OPERATIONS } from '../../tools/bench/operations/all.ts'
import { parseOptions } from '../../tools/bench/options.ts'
import { benchReport, tableOf } from '../../tools/bench/report.ts'
import { trendOf } from '../../tools/bench/soak.ts'
import type { World } from '../../tools/bench/world.ts'
import { collect, runNode } from '../support/processes.ts'

const WORLD: World = {
  keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'a-key', alg: 'EdDSA', use: 'sig', x: '', d: '' }],
  service: { id: 'service', secret: 'secret', metadata: {} },
  es256: { id: 'web', secret: 'secret', metadata: {} },
  rs256: { id: 'web-rsa', secret: 'secret', metadata: {} },
  own: { id: 'own', secret: 'secret', metadata: {} },
  people: [{ username: 'ada', claims: { sub: 'ada' } }],
}

const open: { server: Server; http: HttpClient }[] = []
afterEach(() => {
  for (const { server, http } of open.splice(0)) {
    http.close()
    server.close()
  }
})

async function serverThatSays(status: number, body: string) {
  const server = createServer((_req, res) => res.writeHead(status).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const http = httpClient(origin)
  open.push({ server, http })
  return { house: 'latchkey', origin, http, world: WORLD } as const
}

test.skipIf(process.platform !== 'linux')(
  'one operation is measured on both servers, with rows beforehand',
  async () => {
    const flags = '--json --only jwks --rounds 1 --warm 0.4 --seconds 0.4 --lanes 8 --rows 20'.split(' ')
    const child = runNode(['tools/bench.ts', ...flags], { NODE_ENV: 'production' })
    const { stdout, stderr } = collect(child)
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect({ code, said: stderr() }).toEqual({
      code: 0,
      said: expect.stringMatching(/^measuring jwks\n {2}\d+ µs, bare \d+ µs\n$/),
    })
    const report = benchReport.parse(JSON.parse(stdout()))
    expect(report.operations.map(({ name, goal }) => [name, goal])).toEqual([['jwks', 4]])
    expect(tableOf(report)).toContain('jwks')
  },
)

test.each([
  ['jwks', 200, '{"keys":[]}', 'not the document'],
  ['discovery', 200, '{"issuer":"https://elsewhere.example"}', 'not the document'],
  ['client-credentials', 503, '{"access_token":"a"}', 'expected the status 200, got 503'],
  ['client-credentials', 200, '{"token_type":"Bearer"}', 'expected access_token'],
  ['client-credentials-eddsa', 200, '{"access_token":"e30.e30.e30"}', 'expected a JWT signed by a-key'],
  ['code-flow', 200, 'a page without a form', 'expected a redirect'],
])('a wrong answer fails %s: %i %s', async (name, status, body, why) => {
  const target = await serverThatSays(status, body)
  const operation = OPERATIONS.find((each) => each.name === name)
  const run = async () => {
    const play = await operation?.prepare(target, 0)
    await loaded(play ? [play] : [], { warmMs: 0, measuredMs: 1_000 }, () => 0)
  }
  await expect(run()).rejects.toThrow(why)
})

test('a JWT of another key is a wrong answer', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const jwt = (kid: string) => `${part({ kid })}.${part({ sub: 'ada' })}.c2ln`
  expect(claimsIn(jwt('a-key'), WORLD, 'EdDSA')).toEqual({ sub: 'ada' })
  expect(() => claimsIn(jwt('another'), WORLD, 'EdDSA')).toThrow('expected a JWT signed by a-key')
})

test.each([
  ['an operation that there is none of', ['--only', 'everything'], 'only[0]'],
  ['several workers on SQLite', ['--workers', '2'], 'more than one worker needs postgres'],
  ['no round at all', ['--rounds', '0'], 'rounds'],
  ['a soak too short to be warm', ['--minutes', '2'], 'minutes'],
  ['a soak that outlasts its tokens', ['--minutes', '60'], 'minutes'],
])('the command line refuses %s', (_, argv, why) => {
  expect(() => parseOptions(argv)).toThrow(why)
})

test('half an hour of load is measured only where it is named', () => {
  expect(parseOptions([]).only).not.toContain('soak')
  expect(parseOptions(['--only', 'soak'])).toMatchObject({ only: ['soak'], minutes: 30 })
})

test.each([0, 6, -3])(
  'memory that goes up and down is seen to grow by %i MB an hour, and by nothing else',
  (growth) => {
    // twenty minutes, a sample every five seconds, and a collection of 40 MB every fourth one
    const samples = Array.from({ length: 240 }, (_, index) => {
      const hours = (index * 5) / 3_600
      return { hours, megabytes: 200 + growth * hours + 10 * (index % 4) }
    })
    const { megabytesPerHour, standardError, warmMegabytes, endMegabytes } = trendOf(samples)
    expect(megabytesPerHour).toBeCloseTo(growth)
    expect(standardError).toBeCloseTo(0)
    expect(endMegabytes - warmMegabytes).toBeCloseTo(growth / 3, 0)
  },
)

test('how sure a trend is follows from how far the samples lie from it', () => {
  const points = [10, 12, 11, 13].map((megabytes, hours) => ({ hours, megabytes }))
  const { megabytesPerHour, standardError } = trendOf(points)
  expect(megabytesPerHour).toBeCloseTo(0.8)
  expect(standardError).toBeCloseTo(Math.sqrt(1.8 / 2 / 5))
})
