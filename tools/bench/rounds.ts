// A B A B: what else the machine does falls on both alike, and each round has a ratio of its own.
import { loaded, type Sample } from './load.ts'
import type { Operation, Play, Target } from './operations/operation.ts'
import type { BenchOptions } from './options.ts'
import type { Measured, OperationReport } from './report.ts'
import type { ServerProcess } from './server-process.ts'

interface Running {
  readonly server: ServerProcess
  readonly target: Target
}

const HOUSES = ['latchkey', 'bare'] as const
/** In later rounds, until the connections are busy again. */
const WARM_MS = 300

export async function inTurn(
  operation: Operation,
  running: Readonly<Record<Target['house'], Running>>,
  { rounds, seconds, warm, lanes: count, database }: BenchOptions,
): Promise<OperationReport> {
  const lanes: Record<Target['house'], Play[]> = { latchkey: [], bare: [] }
  const samples: Record<Target['house'], Sample[]> = { latchkey: [], bare: [] }
  for (const house of HOUSES)
    for (let lane = 0; lane < count; lane += 1) lanes[house].push(await operation.prepare(running[house].target, lane))
  const measuredMs = seconds * 1_000
  for (let round = 0; round < rounds; round += 1)
    for (const house of HOUSES) {
      // a connection that idled while the other server was measured may be closed under the next request
      running[house].target.http.close()
      const times = { warmMs: round === 0 ? warm * 1_000 : WARM_MS, measuredMs }
      samples[house].push(await loaded(lanes[house], times, running[house].server.cpuMicros))
    }
  const ratios = samples.bare.map(({ cpuMicros }, round) => cpuMicros / (samples.latchkey[round]?.cpuMicros ?? 0))
  return {
    name: operation.name,
    latchkey: medians(samples.latchkey),
    bare: medians(samples.bare),
    ratio: { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) },
    goal: operation.goal?.[database] ?? null,
  }
}

function medians(samples: readonly Sample[]): Measured {
  return {
    cpuMicros: median(samples.map(({ cpuMicros }) => cpuMicros)),
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    p50Ms: median(samples.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
  }
}

/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
