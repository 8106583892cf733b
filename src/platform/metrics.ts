/**
 * Numbers for Prometheus. Each server has a registry of its own, made when its services are opened. Every label comes
 * from a closed list, so that nobody outside can make a series: no path, no client, no person, no text of an error.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface Count<Labels> {
  inc(labels: Labels): void
}

export interface Timing<Labels> {
  observe(labels: Labels, seconds: number): void
}

export type QueryOperation = 'select' | 'insert' | 'update' | 'delete' | 'other'
export type DatabaseErrorReason = 'unavailable' | 'conflict' | 'other'
export type OutboundResult =
  '2xx' | '3xx' | '4xx' | '5xx' | 'bad_url' | 'address' | 'timeout' | 'too_large' | 'unreachable'

/** What the machinery below the product counts. */
export interface PlatformMetrics {
  readonly requests: Timing<{ readonly method: string; readonly route: string; readonly status: number }>
  readonly queries: Timing<{ readonly operation: QueryOperation }>
  readonly databaseErrors: Count<{ readonly reason: DatabaseErrorReason }>
  readonly outbound: Timing<{ readonly result: OutboundResult }>
}

const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const QUERY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

export function platformMetrics(registry: Registry): PlatformMetrics {
  const registers = [registry]
  return {
    requests: new Histogram({
      name: 'latchkey_http_request_duration_seconds',
      help: 'Requests by method, endpoint and status, and how long their answers took.',
      labelNames: ['method', 'route', 'status'],
      buckets: REQUEST_SECONDS,
      registers,
    }),
    queries: new Histogram({
      name: 'latchkey_database_query_duration_seconds',
      help: 'Statements by what they do, and how long the database took.',
      labelNames: ['operation'],
      buckets: QUERY_SECONDS,
      registers,
    }),
    databaseErrors: new Counter({
      name: 'latchkey_database_errors_total',
      help: 'Statements and connections that failed: the database was unavailable, two writes met (conflict), or other.',
      labelNames: ['reason'],
      registers,
    }),
    outbound: new Histogram({
      name: 'latchkey_outbound_request_duration_seconds',
      help: 'Calls to applications by the class of the answer or why there was none, and how long it took.',
      labelNames: ['result'],
      buckets: REQUEST_SECONDS,
      registers,
    }),
  }
}

interface Sampled {
  readonly name: string
  readonly help: string
  /** A gauge for each state, read when somebody asks for the metrics. */
  read(): Readonly<Record<string, number>>
}

export function sampleStates(registry: Registry, { name, help, read }: Sampled): void {
  const gauge: Gauge<'state'> = new Gauge({
    name,
    help,
    labelNames: ['state'],
    registers: [registry],
    collect: () => {
      for (const [state, value] of Object.entries(read())) gauge.set({ state }, value)
    },
  })
}

/** Memory, processor, event loop and garbage of this process: once for each process, since it looks at them all along. */
export function watchProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry })
}
