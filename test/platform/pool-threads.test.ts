import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startServer } from '../support/processes.ts'

test.runIf(process.platform === 'linux')('who hashes passwords is less urgent than who answers', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-threads-'))
  const port = await freePort('127.0.0.1')
  const server = await startServer(port, {
    ISSUER: `http://127.0.0.1:${port}`,
    DATABASE_URL: `sqlite:${path.join(folder, 'latchkey.db')}`,
    KEYS_DIR: path.join(folder, 'keys'),
  })
  try {
    const answering = getPriority(server.pid)
    const threads = readdirSync(`/proc/${server.pid}/task`)
    const pool = threads.filter(
      (thread) => readFileSync(`/proc/${server.pid}/task/${thread}/comm`, 'utf8') === 'libuv-worker\n',
    )
    expect(pool).toHaveLength(4)
    for (const thread of pool) expect(getPriority(Number(thread))).toBe(Math.min(answering + 10, 19))
  } finally {
    await server.end()
    rmSync(folder, { recursive: true, force: true })
  }
})
