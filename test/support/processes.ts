// Servers as processes of their own: what two hosts on one database do to each other, and what is left of a process
// that was killed, cannot be seen inside one.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { loadConfig } from '#app/config.ts'
import { openServices } from '#app/services.ts'
import type { TestApp } from './app.ts'
import type { DatabaseKind } from './databases.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const READY_WITHIN_MS = 60_000

type Environment = Readonly<Record<string, string>>

export interface ServerProcess {
  readonly origin: string
  readonly pid: number
  /** What it has written so far. */
  stdout(): string
  stderr(): string
  /** Sends the signal and waits for the end, the exit code; nothing happens to a process that has ended. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `node src/main.ts` on the port; resolves once it says that it is ready, rejects with its words if it ends. */
export async function startServer(port: number, environment: Environment): Promise<ServerProcess> {
  const child = runNode(['src/main.ts'], { HOST: '127.0.0.1', PORT: String(port), ...environment })
  const output = collect(child)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const server: ServerProcess = {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    ...output,
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
  const ready = Promise.withResolvers<void>()
  const timer = setTimeout(() => ready.reject(new Error(`not ready in time: ${output.stderr()}`)), READY_WITHIN_MS)
  child.stderr?.on('data', () => output.stderr().includes('is ready.') && ready.resolve())
  void ended.then((code) =>
    ready.reject(new Error(`the server ended with ${code}: ${output.stdout()}${output.stderr()}`)),
  )
  try {
    await ready.promise
  } catch (error) {
    await server.end('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
  }
  return server
}

/** Runs a TypeScript file of the project as a process of its own, with no environment but the one given. */
export function runNode(argv: readonly string[], environment: Environment): ChildProcess {
  return spawn(process.execPath, [...argv], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', LOG_FORMAT: 'json', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** What a child has written, as it comes. */
export function collect(child: ChildProcess): { stdout: () => string; stderr: () => string } {
  const written = { out: '', err: '' }
  child.stdout?.on('data', (chunk: Buffer) => (written.out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (written.err += chunk.toString()))
  return { stdout: () => written.out, stderr: () => written.err }
}

export interface Cluster {
  /** The processes, each reached at its own origin; the first one's is the issuer. */
  readonly hosts: readonly TestApp[]
  readonly services: TestApp['services']
  /** Ends one process as kill -9 does. */
  kill(index: number): Promise<void>
  /** Starts it again on its port. */
  restart(index: number): Promise<void>
  close(): Promise<void>
}

/**
 * So many servers on one fresh database, with one issuer and one master key; and the same services in this process.
 * @param ownOf what the process has beside the settings of all
 */
export async function startCluster(
  kind: DatabaseKind,
  count: number,
  settings: Environment = {},
  ownOf: (index: number) => Environment = () => ({}),
): Promise<Cluster> {
  const database = await kind.create()
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-cluster-'))
  const ports = await freePorts(count)
  const issuer = `http://127.0.0.1:${ports[0]}`
  const environment: Environment = {
    ISSUER: issuer,
    DATABASE_URL: database.url,
    KEYS_DIR: path.join(folder, 'keys'),
    LOG_LEVEL: 'warn',
    ...settings,
  }
  const config = loadConfig({ ...environment, LOG_LEVEL: 'silent', LOG_FORMAT: 'json' }, folder)
  const { services, close } = await openServices(config)
  const started = await Promise.allSettled(
    ports.map((port, index) => startServer(port, { ...environment, ...ownOf(index) })),
  )
  const servers = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const failed = started.find((start) => start.status === 'rejected')

  const cluster: Cluster = {
    hosts: servers.map(({ origin }) => ({
      issuer: origin,
      config,
      services,
      refreshKeys: async () => {},
      close: () => cluster.close(),
    })),
    services,
    kill: async (index) => void (await servers[index]?.end('SIGKILL')),
    async restart(index) {
      servers[index] = await startServer(ports[index] ?? 0, { ...environment, ...ownOf(index) })
    },
    async close() {
      await Promise.all(servers.map((server) => server.end('SIGKILL')))
      await close()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  if (failed) {
    await cluster.close()
    throw failed.reason
  }
  return cluster
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer()
      await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve))
      return probe
    }),
  )
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port)
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))))
  return ports
}
