import { createRequire } from 'node:module'
import { pino, type Logger, type LevelWithSilent } from 'pino'
import type Pretty from 'pino-pretty'
import { traceNames } from './spans.ts'
import { stdoutOutput } from './log-output.ts'

export type Log = Logger

export interface LogSettings {
  readonly level: LevelWithSilent
  readonly format: 'json' | 'pretty'
}

/**
 * Opens the log: one JSON object a line on stdout, or the same coloured for a person at a terminal. Where spans are
 * recorded, each line names its own.
 */
export function openLog({ level, format }: LogSettings): Log {
  const options = { level, base: null, mixin: traceNames }
  if (format === 'json')
    return pino({ ...options, formatters: { level: (label) => ({ level: label }) } }, stdoutOutput())
  // boundary: loaded here, since a server that logs JSON has no use for its 30 files
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof Pretty
  return pino(
    options,
    pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true }),
  )
}
