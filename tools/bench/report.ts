/** What the bench says: one object for machines (`--json`), or a table for people. */
import { z } from 'zod'

const measured = z.object({
  /** User and system time of the server's processes, in microseconds an operation. */
  cpuMicros: z.number(),
  perSecond: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
})

const operation = z.object({
  name: z.string(),
  latchkey: measured,
  bare: measured,
  /** Bare's CPU time by Latchkey's, round by round: above 1 Latchkey is the cheaper one. */
  ratio: z.object({ median: z.number(), lowest: z.number(), highest: z.number() }),
  goal: z.number().nullable(),
})

const flood = z.object({
  /** Passwords a second that the machine can hash, with nothing else to do. */
  argon2PerSecond: z.number(),
  /** Sign-ins a second that were sent, and that came through. */
  sent: z.number(),
  signedIn: z.number(),
  beside: z.array(z.object({ name: z.string(), idleP99Ms: z.number(), floodP99Ms: z.number() })),
})

const soak = z.object({
  minutes: z.number(),
  /** Operations of all kinds. */
  perSecond: z.number(),
  /** How fast the server's memory grew once it was warm, in MB an hour, and how far that may be off by chance. */
  megabytesPerHour: z.number(),
  standardError: z.number(),
  warmMegabytes: z.number(),
  endMegabytes: z.number(),
})

export const benchReport = z.object({
  at: z.string(),
  node: z.string(),
  cores: z.number(),
  /** What else was going on: the load average of the last minute before the bench began. */
  loadBefore: z.number(),
  database: z.enum(['sqlite', 'postgres']),
  workers: z.number(),
  rows: z.number(),
  rounds: z.number(),
  seconds: z.number(),
  /** Seconds under load before the first round. */
  warm: z.number(),
  /** A start on a database that is there, and what the server holds when nobody asks it anything. */
  start: z.object({ readyMs: z.number(), idleRssMegabytes: z.number() }).nullable(),
  operations: z.array(operation),
  /** What the machine can hash in a second while nothing else runs: the limit of password-sign-in. */
  argon2PerSecond: z.number().nullable(),
  flood: flood.nullable(),
  soak: soak.nullable(),
})

export type BenchReport = z.infer<typeof benchReport>
export type OperationReport = z.infer<typeof operation>
export type Measured = z.infer<typeof measured>
export type FloodReport = z.infer<typeof flood>
export type SoakReport = z.infer<typeof soak>

/** Times in microseconds of CPU; medians of the rounds, and from the lowest ratio to the highest. */
export function tableOf(report: BenchReport): string {
  const { start, operations, argon2PerSecond, flood: flooded, soak: soaked } = report
  const rows = [
    [
      'operation',
      'latchkey µs',
      'bare µs',
      'ratio',
      'spread',
      'goal',
      'per second',
      'bare',
      'p50 ms',
      'p99 ms',
      'bare p99',
    ],
    ...operations.map(({ name, latchkey, bare, ratio, goal }) => [
      name,
      latchkey.cpuMicros.toFixed(0),
      bare.cpuMicros.toFixed(0),
      ratio.median.toFixed(2),
      `${ratio.lowest.toFixed(2)}–${ratio.highest.toFixed(2)}`,
      goal?.toFixed(2) ?? '',
      latchkey.perSecond.toFixed(0),
      bare.perSecond.toFixed(0),
      latchkey.p50Ms.toFixed(1),
      latchkey.p99Ms.toFixed(1),
      bare.p99Ms.toFixed(1),
    ]),
  ]
  return [
    `${report.at}, Node ${report.node}, ${report.cores} cores, load before ${report.loadBefore.toFixed(1)}; ${report.database}, ` +
      `${report.workers} process(es), ${report.rows} rows of each kind; ${report.rounds} rounds of ${report.seconds} s after ${report.warm} s`,
    ...(start === null
      ? []
      : [`start to ready ${start.readyMs.toFixed(0)} ms, idle RSS ${start.idleRssMegabytes.toFixed(0)} MB`]),
    ...(operations.length === 0 ? [] : ['', ...aligned(rows)]),
    ...(argon2PerSecond === null ? [] : ['', ...hashLine(operations, argon2PerSecond)]),
    ...(flooded === null ? [] : ['', ...floodLines(flooded)]),
    ...(soaked === null ? [] : ['', soakLine(soaked)]),
    '',
  ].join('\n')
}

function hashLine(operations: readonly OperationReport[], limit: number): string[] {
  const signIn = operations.find(({ name }) => name === 'password-sign-in')
  if (!signIn) return []
  const part = (100 * signIn.latchkey.perSecond) / limit
  return [
    `password-sign-in: ${part.toFixed(0)} % of the ${limit.toFixed(0)} hashes a second that the machine can do (goal 85 %)`,
  ]
}

function floodLines({ argon2PerSecond, sent, signedIn, beside }: FloodReport): string[] {
  return [
    `flood: ${sent.toFixed(0)} sign-ins a second sent, ${signedIn.toFixed(0)} came through, of ${argon2PerSecond.toFixed(0)} hashes a second`,
    ...aligned([
      ['beside it', 'idle p99 ms', 'flood p99 ms', 'times'],
      ...beside.map(({ name, idleP99Ms, floodP99Ms }) => [
        name,
        idleP99Ms.toFixed(1),
        floodP99Ms.toFixed(1),
        (floodP99Ms / idleP99Ms).toFixed(1),
      ]),
    ]),
  ]
}

function soakLine({ minutes, perSecond, megabytesPerHour, standardError, ...rss }: SoakReport): string {
  return (
    `soak: ${perSecond.toFixed(0)} operations a second for ${minutes} minutes, RSS ${rss.warmMegabytes.toFixed(0)} MB when warm, ` +
    `${rss.endMegabytes.toFixed(0)} at the end: ${megabytesPerHour.toFixed(1)} MB an hour, standard error ${standardError.toFixed(1)} (goal below 1)`
  )
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
}
