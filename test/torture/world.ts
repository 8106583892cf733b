// One installation under torture: a database, one or more server processes behind the gate, and the clients and the
// person that the load is about. Services of our own stand beside the servers, as the command line does.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { patiently } from '../support/patience.ts'
import { loadConfig } from '#app/config.ts'
import { openServices } from '#app/services.ts'
import { createClient, createPerson, type RegisteredClient, type TestApp } from '../support/app.ts'
import { createAssertingClient, newKeyPair, type AssertingClient } from '../support/assertion.ts'
import { behindLine, type DatabaseLine } from '../support/database-line.ts'
import type { DatabaseKind } from '../support/databases.ts'
import { freePorts, startServer, type ServerProcess } from '../support/processes.ts'
import { openGate, type Gate } from './gate.ts'
import { fillWithRows } from './rows.ts'

export interface World {
  readonly database: DatabaseKind['name']
  /** The installation as the clients see it, through the gate. */
  readonly app: TestApp
  readonly gate: Gate
  /** PostgreSQL is reached by it. */
  readonly line: DatabaseLine | undefined
  /** Of our own, refresh tokens always. */
  readonly client: RegisteredClient
  readonly asserting: AssertingClient
  /** How many processes there are. */
  readonly size: number
  /** For how long a refresh token that was used yields its successor again. */
  readonly reuseSeconds: number
  /** Starts the process, waits until the gate sends requests to it, and tells how long it took to be ready. */
  start(index: number): Promise<number>
  /** Gives the exit code. */
  end(index: number, signal: NodeJS.Signals): Promise<number | null>
  restartDatabase(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>
  close(): Promise<void>
}

export interface WorldOptions {
  readonly kind: DatabaseKind
  readonly size: number
  readonly rows: number
  readonly reuseSeconds: number
  readonly restartDatabase: World['restartDatabase'] | undefined
}

/** Lives that a whole round fits into; keys that change over while somebody looks. */
const SETTINGS = { TOKENS_CODE_SECONDS: '600', KEYS_PUBLISH_AHEAD_SECONDS: '4', REGISTRATION: 'token' }

export async function openWorld({ kind, size, rows, reuseSeconds, restartDatabase }: WorldOptions): Promise<World> {
  const real = await kind.create()
  const { database, line } = kind.name === 'postgres' ? await behindLine(real) : { database: real, line: undefined }
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-torture-'))
  const [gatePort = 0, ...ports] = await freePorts(size + 1)
  const settings = { ISSUER: `http://127.0.0.1:${gatePort}`, KEYS_DIR: path.join(folder, 'keys'), ...SETTINGS }
  const config = loadConfig({ ...settings, DATABASE_URL: real.url, LOG_LEVEL: 'silent', LOG_FORMAT: 'json' }, folder)
  const { services, close } = await openServices(config)
  await fillWithRows(services.database, rows)
  const gate = await openGate(gatePort, ports)
  const servers: (ServerProcess | undefined)[] = []
  const app: TestApp = { issuer: gate.origin, config, services, refreshKeys: async () => {}, close: async () => {} }
  await createPerson(services)

  const world: World = {
    database: kind.name,
    app,
    gate,
    line,
    client: await createClient(services, { first_party: true, refresh_tokens: 'always', device_flow: true }),
    asserting: await createAssertingClient(app, await newKeyPair()),
    size,
    reuseSeconds,
    async start(index) {
      const port = ports[index] ?? 0
      const began = performance.now()
      servers[index] = await startServer(port, {
        ...settings,
        DATABASE_URL: database.url,
        LOG_LEVEL: 'error',
        TOKENS_REFRESH_REUSE_SECONDS: String(reuseSeconds),
      })
      const tookMs = performance.now() - began
      await patiently(async () => {
        if (!gate.isReady(port)) throw new Error('the gate does not see it')
      })
      return tookMs
    },
    end: async (index, signal) => (await servers[index]?.end(signal)) ?? null,
    async restartDatabase(signal) {
      if (!restartDatabase) throw new Error('the database is not ours to restart')
      await restartDatabase(signal)
    },
    async close() {
      await Promise.all(servers.map(async (server) => server?.end('SIGKILL')))
      await gate.close()
      await close()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return world
}
