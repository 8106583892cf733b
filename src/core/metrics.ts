/** What the product counts, beside what the machinery below it does (platform/metrics.ts). */
import { Counter, Histogram, Registry } from 'prom-client'
import type { Database } from '#platform/database/open.ts'
import { platformMetrics, sampleStates, type Count, type PlatformMetrics } from '#platform/metrics.ts'
import type { Passwords } from './accounts/passwords.ts'

export type SignInResult = 'success' | 'failure' | 'throttled'
export type TokenKind = 'access' | 'id' | 'refresh' | 'code'

export interface Metrics extends PlatformMetrics {
  readonly registry: Registry
  /** All numbers of the server in the text form of Prometheus, those of other processes on its port included. */
  text(): Promise<string>
  readonly signIns: Count<{ readonly method: 'password'; readonly result: SignInResult }>
  readonly tokens: Count<{ readonly kind: TokenKind }>
  /** What the protocol refused; both words come from the protocol library, never from a request. */
  readonly refusals: Count<{ readonly endpoint: string; readonly error: string }>
  readonly passwordHashes: { observe(seconds: number): void }
}

/** @param textOf makes of the numbers of this process what is told of the server */
export function createMetrics(
  textOf = (own: Registry): (() => Promise<string>) =>
    () =>
      own.metrics(),
): Metrics {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    text: textOf(registry),
    ...platformMetrics(registry),
    signIns: new Counter({
      name: 'latchkey_sign_ins_total',
      help: 'Proofs of who somebody is, by method, and what came of them.',
      labelNames: ['method', 'result'],
      registers,
    }),
    tokens: new Counter({
      name: 'latchkey_tokens_issued_total',
      help: 'Tokens and authorization codes given to applications.',
      labelNames: ['kind'],
      registers,
    }),
    refusals: new Counter({
      name: 'latchkey_refusals_total',
      help: 'Requests of applications that the protocol refused, by endpoint and error code.',
      labelNames: ['endpoint', 'error'],
      registers,
    }),
    passwordHashes: new Histogram({
      name: 'latchkey_password_hash_duration_seconds',
      help: 'Hashes of passwords, and how long each took, without the wait for its turn.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
      registers,
    }),
  }
}

interface Loaded {
  readonly passwords: Passwords
  readonly database: Pick<Database<unknown>, 'connections'>
}

/** What is under way and what waits, read whenever the metrics are. */
export function sampleLoad({ registry }: Metrics, { passwords, database }: Loaded): void {
  sampleStates(registry, {
    name: 'latchkey_password_hashes',
    help: 'Passwords that are being hashed (running) and that wait for their turn (waiting).',
    read: () => ({ ...passwords.load() }),
  })
  const { connections } = database
  if (!connections) return
  sampleStates(registry, {
    name: 'latchkey_database_pool_connections',
    help: 'Connections in use and idle, and queries that wait for one.',
    read: () => ({ ...connections() }),
  })
}
