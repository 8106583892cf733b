// One of the two servers as a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { statsOf, type ProcessStats } from './process-stats.ts'

const ROOT = path.join(import.meta.dirname, '../..')

export interface ServerProcess extends ProcessStats {
  readonly origin: string
  /** From the start of the process until it said that it was ready, in milliseconds. */
  readonly readyMs: number
  /** Ends it as an operator would, and waits: a profile is written at the end. */
  stop(): Promise<void>
}

export interface Start {
  /** Arguments of node, the entry file among them. */
  readonly argv: readonly string[]
  readonly port: number
  readonly environment: Readonly<Record<string, string>>
}

/** @throws Error with the server's own words where it ends before it is ready */
export async function startServer({ argv, port, environment }: Start): Promise<ServerProcess> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, argv, {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_ENV: 'production',
      // as docs/operations.md has it
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? path.join(ROOT, 'data/compile-cache'),
      PORT: String(port),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // the log is written, and read, as in production; what is in it is of no interest here
  child.stdout.resume()
  const ended = once(child, 'close')
  await new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-4_000)
      if (said.includes('is ready.')) resolve()
    })
    child.once('error', reject)
    void ended.then(() => reject(new Error(`the server ended before it was ready: ${said}`)))
  })
  return {
    origin: `http://127.0.0.1:${port}`,
    readyMs: performance.now() - startedAt,
    ...statsOf(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
