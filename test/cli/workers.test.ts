// Several processes on one port: they serve as one, are replaced when they die, and say once why they cannot start.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { startServer, type ServerProcess } from '../support/processes.ts'
import { bearer, send } from '../support/protocol.ts'

const postgres = databases.filter(({ name }) => name === 'postgres')

describe.each(postgres)('two workers', (kind) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-workers-'))
  let database: Awaited<ReturnType<(typeof kind)['create']>>
  let environment: Record<string, string>
  let port: number
  let server: ServerProcess

  beforeAll(async () => {
    database = await kind.create()
    port = await freePort()
    environment = {
      ISSUER: `http://127.0.0.1:${port}`,
      DATABASE_URL: database.url,
      KEYS_DIR: path.join(folder, 'keys'),
      WORKERS: '2',
      METRICS_TOKEN: 'a-token-for-the-numbers',
    }
    server = await startServer(port, environment)
  })
  afterAll(async () => {
    await server.end('SIGKILL')
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  const workersLogged = (): string[] =>
    server
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"a worker serves"'))
      .map((line) => line.match(/"worker":(\d+)/)?.[1] ?? '')

  test('serve on one port, and are announced once', async () => {
    await vi.waitFor(() => expect(new Set(workersLogged()).size).toBe(2), { timeout: 20_000 })
    expect(server.stderr().match(/is ready/g)).toHaveLength(1)
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => (await fetch(`${server.origin}/readyz`)).status),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  const numbers = async (): Promise<string> => {
    const answer = await send(`${server.origin}/metrics`, { headers: bearer('a-token-for-the-numbers') })
    expect(answer.status).toBe(200)
    return answer.body
  }

  test('tell the numbers of both, whichever is asked, each with its own number', async () => {
    const text = await numbers()
    const served = text.match(/^latchkey_http_request_duration_seconds_count\{.*route="\/readyz".*$/gm) ?? []
    expect(served.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(8)
    for (const series of ['process_start_time_seconds', 'nodejs_eventloop_lag_p99_seconds'])
      for (const worker of ['1', '2'])
        expect(text).toMatch(new RegExp(`^${series}\\{worker="${worker}"\\} [\\d.e-]+$`, 'm'))
    expect(text.match(/^# TYPE latchkey_http_request_duration_seconds histogram$/gm)).toHaveLength(1)
    const scrapes = await Promise.all(Array.from({ length: 4 }, numbers))
    for (const scrape of scrapes) expect(scrape).toContain('worker="2"')
  })

  test('one that dies is replaced, and the other serves meanwhile', async () => {
    const [first] = workersLogged()
    process.kill(Number(first), 'SIGKILL')
    await vi.waitFor(() => expect(workersLogged()).toHaveLength(3), { timeout: 20_000 })
    expect((await fetch(`${server.origin}/.well-known/openid-configuration`)).status).toBe(200)
    expect(server.stdout()).toContain('a worker died; another one takes its place')
    const workers = [...(await numbers()).matchAll(/^process_start_time_seconds\{worker="(\d+)"\}/gm)]
    expect(workers.map(([, worker]) => worker).toSorted()).toEqual(['1', '2'])
  })

  test('end together on SIGTERM, and none is left', async () => {
    const pids = workersLogged().slice(1)
    expect(await server.end('SIGTERM')).toBe(0)
    for (const pid of pids) expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
    await expect(fetch(`${server.origin}/healthz`)).rejects.toThrow('fetch failed')
  })

  test('end with 0 on a SIGTERM that comes while some of them still start', async () => {
    const starting = await startServer(port, { ...environment, WORKERS: '4' })
    expect(await starting.end('SIGTERM')).toBe(0)
    expect(starting.stdout()).not.toContain('cannot take the place')
    await expect(fetch(`${starting.origin}/healthz`)).rejects.toThrow('fetch failed')
  })

  test('say once why they cannot start, and end with it', async () => {
    const refused = startServer(port, { ...environment, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' })
    const reason = await refused.then(
      () => 'it started',
      (error: unknown) => String(error),
    )
    expect(reason).toContain('ended with 78')
    expect(reason.match(/Latchkey cannot start/g)).toHaveLength(1)
  })
})
