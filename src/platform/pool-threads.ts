import { readdirSync, readFileSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'

/** What libuv calls the threads of its pool, of which all begin with the first task. */
const POOL_THREAD = 'libuv-worker'
const THREADS = '/proc/self/task'
/** In Linux, who stands 10 lower gets a tenth of what one gets who wants the same core, and has to let it go first (sched(7)). */
const STEPS = constants.priority.PRIORITY_BELOW_NORMAL

/**
 * Passwords are hashed and RSA signatures made in libuv's pool, and when that fills all cores, every answer would wait
 * for its turn among them. So the pool is less urgent to the system than the thread that answers. Only Linux gives each
 * thread a priority of its own; elsewhere nothing is changed. @throws Error where a sandbox forbids it
 */
export function letPoolStepBack(): void {
  if (process.platform !== 'linux') return
  const pool = readdirSync(THREADS).filter((thread) => nameOf(thread) === POOL_THREAD)
  const priority = Math.min(getPriority() + STEPS, constants.priority.PRIORITY_LOW)
  for (const thread of pool) setPriority(Number(thread), priority)
}

/** Nothing for a thread that has ended. */
function nameOf(thread: string): string {
  try {
    return readFileSync(`${THREADS}/${thread}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
