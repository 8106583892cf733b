// What Latchkey keeps its data in while it is measured: every commit on disk before it is answered.
import path from 'node:path'
import { startPostgres } from '../../test/support/postgres-server.ts'
import type { BenchOptions } from './options.ts'

export interface BenchDatabase {
  readonly url: string
  close(): Promise<void>
}

/** An SQLite file in the folder; or a PostgreSQL of the bench's own, unless BENCH_POSTGRES_URL names an empty database. */
export async function openBenchDatabase(kind: BenchOptions['database'], folder: string): Promise<BenchDatabase> {
  if (kind === 'sqlite') return { url: `sqlite:${path.join(folder, 'latchkey.db')}`, close: async () => {} }
  const { BENCH_POSTGRES_URL: given } = process.env
  if (given) return { url: given, close: async () => {} }
  const { url, stop } = await startPostgres({ durable: true })
  return { url, close: stop }
}
