/**
 * The bench: Latchkey as it runs in production, and the bare protocol library, in turn under the same load. Only what
 * was measured side by side in one run is compared, since machines differ and are shared.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '#app/config.ts'
import { openServices } from '#app/services.ts'
import { freePort } from '../../test/support/free-port.ts'
import { openBenchDatabase, type BenchDatabase } from './database.ts'
import { argon2PerSecond, flooded } from './flood.ts'
import { httpClient } from './http.ts'
import { OPERATIONS } from './operations/all.ts'
import type { Operation, Target } from './operations/operation.ts'
import type { BenchOptions } from './options.ts'
import type { BenchReport, FloodReport, OperationReport, SoakReport } from './report.ts'
import { inTurn, median } from './rounds.ts'
import { seedRows } from './rows.ts'
import { seed } from './seed.ts'
import { startServer, type ServerProcess } from './server-process.ts'
import { soaked } from './soak.ts'
import type { World } from './world.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const DATA = path.join(ROOT, 'data')
const PROFILES = path.join(DATA, 'profiles')
const STARTS = 3
const SETTLED_MS = 2_000

/** @param say tells how far it is, in a line @throws Error where an answer was wrong */
export async function bench(options: BenchOptions, say: (line: string) => void): Promise<BenchReport> {
  const loadBefore = loadavg()[0] ?? 0
  mkdirSync(DATA, { recursive: true })
  const folder = mkdtempSync(path.join(DATA, 'bench-'))
  const database = await openBenchDatabase(options.database, folder)
  try {
    const place = await furnish(options, database, folder)
    const isWanted = (name: string): boolean => options.only.includes(name)
    const measured = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      say(`measuring ${name}`)
      return work()
    }
    const start = isWanted('start') ? await measured('start', () => measureStart(place)) : null
    const operations: OperationReport[] = []
    for (const operation of OPERATIONS.filter(({ name }) => isWanted(name))) {
      const report = await measured(operation.name, () => measure(operation, place, options))
      say(`  ${report.latchkey.cpuMicros.toFixed(0)} µs, bare ${report.bare.cpuMicros.toFixed(0)} µs`)
      operations.push(report)
    }
    const hashes = isWanted('password-sign-in') ? await argon2PerSecond(options.seconds) : null
    const flood = isWanted('flood') ? await measured('flood', () => measureFlood(place, options)) : null
    const soak = isWanted('soak') ? await measured('soak', () => measureSoak(place, options)) : null
    return {
      at: new Date().toISOString(),
      node: process.versions.node,
      cores: availableParallelism(),
      loadBefore,
      database: options.database,
      workers: options.workers,
      rows: options.rows,
      rounds: options.rounds,
      seconds: options.seconds,
      warm: options.warm,
      start,
      operations,
      argon2PerSecond: hashes,
      flood,
      soak,
    }
  } finally {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where the two servers run, and with what. */
interface Place {
  readonly world: World
  readonly port: number
  readonly settings: Readonly<Record<string, string>>
  readonly bare: { readonly port: number; readonly worldFile: string }
}

/** Makes the database and what both servers know. */
async function furnish({ lanes, rows, workers }: BenchOptions, { url }: BenchDatabase, folder: string): Promise<Place> {
  const port = await freePort('127.0.0.1')
  const settings = {
    ISSUER: `http://127.0.0.1:${port}`,
    HOST: '127.0.0.1',
    DATABASE_URL: url,
    KEYS_DIR: path.join(folder, 'keys'),
    WORKERS: String(workers),
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
  }
  const config = loadConfig({ ...settings, LOG_LEVEL: 'warn' }, folder)
  const { services, close } = await openServices(config)
  try {
    const world = await seed(services, lanes)
    await seedRows(services, rows)
    const worldFile = path.join(folder, 'world.json')
    writeFileSync(worldFile, JSON.stringify(world), { mode: 0o600 })
    return { world, port, settings, bare: { port: await freePort('127.0.0.1'), worldFile } }
  } finally {
    await close()
  }
}

/** Both servers, fresh for each operation, so that none is measured with what another left in the JIT and the heap. */
async function measure(operation: Operation, place: Place, options: BenchOptions): Promise<OperationReport> {
  const flags = (house: string) => profileFlags(`${operation.name}-${house}`, options)
  const ours = latchkey(place, [...flags('latchkey'), ...(operation.withoutHash ? withoutHash() : [])])
  return withServer(ours, 'latchkey', place.world, (first) =>
    withServer(bare(place, flags('bare')), 'bare', place.world, (second) =>
      inTurn(operation, { latchkey: first, bare: second }, options),
    ),
  )
}

function measureFlood(place: Place, options: BenchOptions): Promise<FloodReport> {
  const ours = latchkey(place, profileFlags('flood-latchkey', options))
  return withServer(ours, 'latchkey', place.world, ({ target }) => flooded(target, 3 * options.seconds))
}

/** Never with a profile, which would grow in the memory that is measured. */
function measureSoak(place: Place, { minutes }: BenchOptions): Promise<SoakReport> {
  return withServer(latchkey(place), 'latchkey', place.world, ({ target, server }) => soaked(target, server, minutes))
}

async function measureStart(place: Place): Promise<NonNullable<BenchReport['start']>> {
  const starts: { readyMs: number; rss: number }[] = []
  for (let index = 0; index < STARTS; index += 1) {
    const server = await latchkey(place)
    // what a start leaves behind is collected after a moment; once is enough to see it
    if (index === STARTS - 1) await sleep(SETTLED_MS)
    starts.push({ readyMs: server.readyMs, rss: server.rssMegabytes() })
    await server.stop()
  }
  return { readyMs: median(starts.map(({ readyMs }) => readyMs)), idleRssMegabytes: starts.at(-1)?.rss ?? 0 }
}

function latchkey({ port, settings }: Place, flags: readonly string[] = []): Promise<ServerProcess> {
  return startServer({ argv: [...flags, 'src/main.ts'], port, environment: settings })
}

function bare({ bare: { port, worldFile } }: Place, flags: readonly string[]): Promise<ServerProcess> {
  return startServer({ argv: [...flags, 'tools/bench/bare.ts'], port, environment: { WORLD: worldFile } })
}

function withoutHash(): string[] {
  return ['--import', path.join(import.meta.dirname, 'without-hash.ts')]
}

function profileFlags(name: string, { profile }: BenchOptions): string[] {
  return profile ? ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`, `--cpu-prof-name=${name}.cpuprofile`] : []
}

async function withServer<T>(
  starting: Promise<ServerProcess>,
  house: Target['house'],
  world: World,
  use: (running: { server: ServerProcess; target: Target }) => Promise<T>,
): Promise<T> {
  const server = await starting
  const http = httpClient(server.origin)
  try {
    return await use({ server, target: { house, origin: server.origin, http, world } })
  } finally {
    http.close()
    await server.stop()
  }
}
