// What a process and the processes below it have used, as Linux tells it in /proc (see proc(5)).
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessStats {
  /** User and system time of all of them so far, in microseconds. */
  cpuMicros(): number
  /** What they have in memory, in MB; pages that they share count for each. */
  rssMegabytes(): number
}

/** @throws Error on systems without /proc */
export function statsOf(pid: number): ProcessStats {
  if (process.platform !== 'linux')
    throw new Error('the bench reads CPU times from /proc, which only Linux has: run it there, or in a Linux container')
  const tickMicros = 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  // workers are forked before the server says that it is ready
  const pids = familyOf(pid)
  return {
    cpuMicros: () => sum(pids, (each) => (statFields(each)?.ticks ?? 0) * tickMicros),
    rssMegabytes: () => sum(pids, (each) => Number(/VmRSS:\s+(\d+)/.exec(readProc(each, 'status'))?.[1] ?? 0) / 1_024),
  }
}

function familyOf(pid: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const children = all.map(Number).filter((each) => statFields(each)?.parent === pid)
  return [pid, ...children.flatMap(familyOf)]
}

/** What follows the name, which stands in parentheses and may hold anything. */
function statFields(pid: number): { parent: number; ticks: number } | undefined {
  const fields = readProc(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number)
  const [, parent, , , , , , , , , , user, system] = fields
  if (parent === undefined || user === undefined || system === undefined) return undefined
  return { parent, ticks: user + system }
}

/** Nothing for a process that has ended. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0)
}
