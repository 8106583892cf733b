// One run: rounds of load, a fault in the middle of it, recovery, and the ledger held against the server.
import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseKind } from '../support/databases.ts'
import { patiently } from '../support/patience.ts'
import type { Fault } from './faults.ts'
import type { Passed } from './gate.ts'
import { inspect } from './inspection.ts'
import { openLedger } from './ledger.ts'
import { signInAll, startLoad } from './load.ts'
import { seededRandom, type Random } from './random.ts'
import { openVerifier } from './verifier.ts'
import { openWorld, type World } from './world.ts'

export interface TortureOptions {
  readonly kind: DatabaseKind
  /** One in each round, in turn. */
  readonly faults: readonly Fault[]
  readonly rounds: number
  readonly seed: number
  /** Rows that are there before. */
  readonly rows: number
  /** With a window, the loss of an answer may cost nobody a refresh token; without one, no second use is forgiven. */
  readonly reuseSeconds: number
  readonly restartDatabase: World['restartDatabase'] | undefined
}

export interface Outcome {
  /** What was lost, used twice or answered wrongly; empty where all held. */
  readonly violations: readonly string[]
  readonly turns: number
  /** Lines of the ledger, by what they were about. */
  readonly counts: Readonly<Record<string, number>>
  readonly verified: number
}

/** The load goes on for so long before and after a fault, in milliseconds. */
const BEFORE = [100, 900] as const
const AFTER_MS = 200

/** @param say told a line a round */
export async function torture(options: TortureOptions, say: (line: string) => void): Promise<Outcome> {
  const { faults, rows, seed, rounds } = options
  const size = Math.max(...faults.map((fault) => fault.size))
  const random = seededRandom(seed)
  const world = await openWorld({ ...options, size })
  try {
    const started = await Promise.all(Array.from({ length: size }, (_, index) => world.start(index)))
    say(`ready after ${milliseconds(started)} with ${rows} rows`)
    // a second less than the lead of a new key, for the half second in which a process hears of it, and a busy machine
    const verifier = openVerifier(world.app.issuer, (world.app.config.keys.publishAheadSeconds - 1) * 1_000)
    const ledger = openLedger()
    const browsers = await signInAll(world)
    const outcome = { violations: [] as string[], turns: 0, counts: {} as Record<string, number> }
    for (let round = 1; round <= rounds; round += 1) {
      const fault = faults[(round - 1) % faults.length]
      if (!fault) throw new Error('no fault was chosen')
      world.gate.takeNotes()
      const load = startLoad({ world, ledger, random, verifier }, browsers)
      const { ready, wrong } = await disturb(world, fault, random, () => load.turns())
      const unexpected = await load.stop()
      const during = world.gate.takeNotes()
      await recovered(world)
      const found = [...wrong, ...unexpected, ...noticed(during, fault), ...(await inspect(world))]
      const { counts, violations } = await ledger.hold()
      found.push(...violations, ...world.gate.takeNotes().violations)
      outcome.violations.push(...found.map((violation) => `round ${round}: ${violation}`))
      outcome.turns += load.turns()
      for (const [what, count] of Object.entries(counts)) outcome.counts[what] = (outcome.counts[what] ?? 0) + count
      say(lineOf(`round ${round}, ${fault.name}`, load.turns(), counts, during, ready, found))
    }
    return { ...outcome, verified: verifier.verified() }
  } finally {
    await world.close()
  }
}

async function disturb(
  world: World,
  fault: Fault,
  random: Random,
  turns: () => number,
): Promise<{ ready: readonly number[]; wrong: readonly string[] }> {
  await patiently(async () => {
    if (turns() === 0) throw new Error('the load has not finished one turn')
  })
  await sleep(random.between(...BEFORE))
  try {
    const ready = await fault.run(world, random)
    await sleep(AFTER_MS)
    return { ready, wrong: [] }
  } catch (error) {
    return { ready: [], wrong: [`${fault.name}: ${String(error)}`] }
  }
}

/** Everything that the fault left is healed by itself: nobody helps, we only wait. */
async function recovered({ app }: World): Promise<void> {
  await patiently(async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => fetch(`${app.issuer}/readyz`)))
    for (const answer of answers) {
      await answer.arrayBuffer()
      if (!answer.ok) throw new Error(`/readyz answers ${answer.status}`)
    }
  })
}

/** What the clients may not have noticed. */
function noticed({ statuses, violations }: Passed, { clientsNotice }: Fault): string[] {
  const lost = statuses.get('lost') ?? 0
  const unavailable = statuses.get(503) ?? 0
  return [
    ...violations,
    ...(lost > 0 && clientsNotice !== 'lost' ? [`${lost} answers were lost`] : []),
    ...(unavailable > 0 && clientsNotice === 'nothing' ? [`${unavailable} requests were answered 503`] : []),
  ]
}

function lineOf(
  round: string,
  turns: number,
  counts: Readonly<Record<string, number>>,
  { statuses, longestMs }: Passed,
  ready: readonly number[],
  violations: readonly string[],
): string {
  const lines = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const answers = [...statuses].toSorted().map(([status, count]) => `${count} x ${status}`)
  const parts = [
    `${round}: ${turns} turns, ${lines} lines held`,
    answers.join(' '),
    `longest ${Math.round(longestMs)} ms`,
    ...(ready.length > 0 ? [`ready after ${milliseconds(ready)}`] : []),
    violations.length === 0 ? 'all held' : `${violations.length} VIOLATIONS`,
  ]
  return [parts.join('; '), ...violations.map((violation) => `  ${violation}`)].join('\n')
}

function milliseconds(times: readonly number[]): string {
  return times.map((time) => `${Math.round(time)} ms`).join(', ')
}
