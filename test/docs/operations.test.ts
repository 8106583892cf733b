// docs/operations.md as an operator follows it: the SDK of its example sees the server's spans, and what its alarms look
// at is there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { collect, runNode } from '../support/processes.ts'
import { bearer, send } from '../support/protocol.ts'
import { fences, ROOT, textOf } from './markdown.ts'

// below the checkout, so that the example finds its packages
mkdirSync(path.join(ROOT, '.cache'), { recursive: true })
const folder = mkdtempSync(path.join(ROOT, '.cache', 'operations-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the process tells of itself, and the example of an SDK prints the spans of a request, down to its queries', async () => {
  const [example = ''] = fences(textOf('docs/operations.md'), 'js').filter((text) => text.includes('otel.mjs'))
  const sdk = path.join(folder, 'otel.mjs')
  writeFileSync(sdk, example)
  const origin = `http://localhost:${await freePort()}`
  const server = runNode(['--import', sdk, 'src/main.ts'], {
    ISSUER: origin,
    HOST: 'localhost',
    DATABASE_URL: `sqlite:${path.join(folder, 'latchkey.db')}`,
    KEYS_DIR: path.join(folder, 'keys'),
    METRICS_TOKEN: 'a-token-for-the-numbers',
  })
  const ended = new Promise((resolve) => server.once('close', resolve))
  const output = collect(server)
  try {
    await vi.waitFor(() => expect(output.stderr()).toContain('is ready.'), 20_000)
    await send(`${origin}/readyz`)
    const { body } = await send(`${origin}/metrics`, { headers: bearer('a-token-for-the-numbers') })
    for (const series of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes'])
      expect(body).toMatch(new RegExp(`^${series} [\\d.e-]+$`, 'm'))
  } finally {
    server.kill('SIGTERM')
  }
  expect(await ended).toBe(0)
  expect(output.stdout()).toContain("name: 'HTTP GET /readyz'")
  expect(output.stdout()).toContain("name: 'select'")
  expect(output.stdout()).toMatch(/"trace_id":"[0-9a-f]{32}".*"path":"\/readyz"/)
})
