import { pino, type Logger, type LevelWithSilent } from 'pino'
import pretty from 'pino-pretty'

export type Log = Logger

export interface LogSettings {
  readonly level: LevelWithSilent
  readonly format: 'json' | 'pretty'
}

/** Opens the log: one JSON object a line on stdout, or the same coloured for a person at a terminal. */
export function openLog({ level, format }: LogSettings): Log {
  if (format === 'json') return pino({ level, base: null, formatters: { level: (label) => ({ level: label }) } })
  return pino(
    { level, base: null },
    pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true }),
  )
}
