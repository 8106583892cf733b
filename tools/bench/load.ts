// Puts one server under load for a while, and tells what it cost.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Play } from './operations/operation.ts'

export interface Sample {
  /** Of the server: user and system time of all its processes. */
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** However fast the server is, an operation is not played more often than this in one sample. */
const MOST_PLAYS = 200_000

/**
 * Plays on all lanes at once, each as fast as it is answered.
 * @throws what the first lane throws that was answered wrongly
 */
export async function loaded(
  lanes: readonly Play[],
  times: { readonly warmMs: number; readonly measuredMs: number },
  cpuMicros: () => number,
): Promise<Sample> {
  const played: number[] = []
  let isWarm = false
  const end = new AbortController()
  const lane = async (play: Play): Promise<void> => {
    while (!end.signal.aborted && played.length < MOST_PLAYS) {
      const startedAt = performance.now()
      await play()
      if (isWarm) played.push(performance.now() - startedAt)
    }
  }
  const stop = (): void => end.abort()
  const running = Promise.all(lanes.map(lane)).finally(stop)

  const watching = async (): Promise<Sample> => {
    await sleep(times.warmMs)
    isWarm = true
    const before = { cpu: cpuMicros(), at: performance.now() }
    await Promise.race([sleep(times.measuredMs), running])
    const seconds = (performance.now() - before.at) / 1_000
    const cpu = cpuMicros() - before.cpu
    const durations = played.toSorted((a, b) => a - b)
    // CPU time is counted in ticks of some milliseconds
    if (durations.length === 0 || cpu === 0)
      throw new Error('too little was answered in the time of a sample: raise --seconds')
    return {
      cpuMicros: cpu / durations.length,
      perSecond: durations.length / seconds,
      p50Ms: quantile(durations, 0.5),
      p99Ms: quantile(durations, 0.99),
    }
  }
  const [sample] = await Promise.all([watching().finally(stop), running])
  return sample
}

/**
 * Plays the lanes in turn, one every so many milliseconds, and tells how long each play took, in milliseconds, the shortest
 * first. Each counts from when it was due; what has not been answered at the end has taken at least so long. A lane plays
 * one after another, since a refresh uses up what the lane holds.
 * @throws what the first lane throws that was answered wrongly
 */
export async function paced(lanes: readonly Play[], everyMs: number, forMs: number): Promise<number[]> {
  const startedAt = performance.now()
  const endsAt = startedAt + forMs
  const durationsOf = async (play: Play, lane: number): Promise<number[]> => {
    const durations: number[] = []
    for (let dueAt = startedAt + lane * everyMs; dueAt < endsAt; dueAt += lanes.length * everyMs) {
      const early = dueAt - performance.now()
      if (early > 0) await sleep(early)
      if (performance.now() < endsAt) await play()
      durations.push(performance.now() - dueAt)
    }
    return durations
  }
  return (await Promise.all(lanes.map(durationsOf))).flat().toSorted((a, b) => a - b)
}

/** @param sorted ascending, not empty */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
