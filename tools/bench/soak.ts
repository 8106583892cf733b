// Everything that the server is asked, at a gentle pace and for a long time, and whether its memory grows by it.
import { paced } from './load.ts'
import { OPERATIONS } from './operations/all.ts'
import type { Target } from './operations/operation.ts'
import type { ProcessStats } from './process-stats.ts'
import type { SoakReport } from './report.ts'

const PLAY_EVERY_MS = 16
/** Of each operation: enough that one that is answered slowly does not hold up the next. */
const LANES = 4
const SAMPLE_EVERY_MS = 5_000
const WINDOW_HOURS = 30 / 3_600
/** What comes before is not counted: the JIT, the caches and V8's generations reach their size. */
const WARM_PART = 1 / 3

/** What a process had in memory, and when. */
export interface MemorySample {
  readonly hours: number
  readonly megabytes: number
}

/** Plays all operations in turn. @throws what the first lane throws that was answered wrongly */
export async function soaked(target: Target, stats: ProcessStats, minutes: number): Promise<SoakReport> {
  const lanes = Array.from({ length: LANES }, (_, lane) => OPERATIONS.map(({ prepare }) => prepare(target, lane)))
  const plays = await Promise.all(lanes.flat())
  const startedAt = performance.now()
  const samples: MemorySample[] = []
  const sampling = setInterval(() => {
    samples.push({ hours: (performance.now() - startedAt) / 3_600_000, megabytes: stats.rssMegabytes() })
  }, SAMPLE_EVERY_MS)
  try {
    const { length } = await paced(plays, PLAY_EVERY_MS, minutes * 60_000)
    const warmHours = (minutes / 60) * WARM_PART
    return {
      minutes,
      perSecond: length / (minutes * 60),
      ...trendOf(samples.filter(({ hours }) => hours >= warmHours)),
    }
  } finally {
    clearInterval(sampling)
  }
}

/**
 * The straight line through the samples by least squares, in MB and hours; NaN of fewer than three windows. A peak
 * that is gone in a moment is no growth, so of each half minute only the lowest sample counts.
 */
export function trendOf(samples: readonly MemorySample[]): Omit<SoakReport, 'minutes' | 'perSecond'> {
  const windows = Map.groupBy(samples, ({ hours }) => Math.floor(hours / WINDOW_HOURS))
  const lowest = [...windows.values()].map((window) =>
    window.reduce((low, each) => (each.megabytes < low.megabytes ? each : low)),
  )
  const meanHours = mean(lowest.map(({ hours }) => hours))
  const meanMegabytes = mean(lowest.map(({ megabytes }) => megabytes))
  const spread = sum(lowest.map(({ hours }) => (hours - meanHours) ** 2))
  const megabytesPerHour =
    sum(lowest.map(({ hours, megabytes }) => (hours - meanHours) * (megabytes - meanMegabytes))) / spread
  const residue = sum(
    lowest.map(({ hours, megabytes }) => (megabytes - meanMegabytes - megabytesPerHour * (hours - meanHours)) ** 2),
  )
  return {
    megabytesPerHour,
    standardError: Math.sqrt(residue / (lowest.length - 2) / spread),
    warmMegabytes: lowest.at(0)?.megabytes ?? Number.NaN,
    endMegabytes: lowest.at(-1)?.megabytes ?? Number.NaN,
  }
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
