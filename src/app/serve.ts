/**
 * The server as a program: what `npm start` and `npm run demo` have in common, from the settings to the last request.
 */
import type { Services } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { giveBackMemory } from '#platform/memory.ts'
import { watchProcess } from '#platform/metrics.ts'
import { letPoolStepBack } from '#platform/pool-threads.ts'
import type { Log } from '#platform/log.ts'
import { SettingsError } from '#platform/settings.ts'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { features } from './features.ts'
import { startJobs } from './jobs.ts'
import { listen } from './listen.ts'
import { openServices, type Surroundings } from './services.ts'

/** A balancer that looks, or a request that was on its way when the signal came, still finds somebody. */
const LINGER_MS = 500
/** Signals closer together than this are one: a terminal sends its own to the launcher and to us. */
const ONE_SIGNAL_MS = 1_000
/** Those who waited for the start have been answered. */
const SETTLED_MS = 1_000
/** Whatever hangs, the end comes within ten seconds. */
const CLOSE_LIMIT_MS = 9_500

export interface Stoppable {
  readonly log: Log
  /** Finishes the requests under way, ends the jobs, and closes what was opened. */
  stop(): Promise<void>
}

/** The first worker could not start and has said why. */
export class WorkerCannotStart extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`a worker ended with ${exitCode} before it was ready`)
    this.name = 'WorkerCannotStart'
    this.exitCode = exitCode
  }
}

export interface Running extends Stoppable {
  readonly services: Services
}

/**
 * Opens services and app, listens, and starts the jobs. Where one of them fails the others are closed again.
 * @throws AppError(configuration) with the reason, in words for the operator
 */
export async function serve(config: Config, surroundings: Surroundings = {}): Promise<Running> {
  const closing: (() => void | Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close()
  }
  try {
    const { services, beginDraining, close } = await openServices(config, surroundings)
    closing.push(close)
    watchProcess(services.metrics.registry)
    const app = await createApp(config, services, features)
    closing.push(app.close)
    const server = await listen(config.listen, app.answer, config.clientCertificates.authorities)
    closing.push(startJobs(features, services), () => server.drain(LINGER_MS), beginDraining)
    return { services, log: services.log, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Starts a program, announces on stderr that it is ready, and stops it at the first SIGTERM, SIGINT or SIGHUP; one more,
 * a second later, ends it at once with exit code 1. What cannot start says why on stderr, and the process ends with exit
 * code 78.
 */
export async function runUntilSignal<R extends Stoppable>(
  start: () => Promise<R>,
  announce: (running: R) => string | Promise<string>,
): Promise<void> {
  try {
    const running = await start()
    stopOnSignal(running)
    preferAnswers(running)
    process.stderr.write(await announce(running))
    setTimeout(giveBackMemory, SETTLED_MS).unref()
  } catch (error) {
    process.exitCode = refuse(error)
  }
}

/** Where that is forbidden, answers only come later while many passwords are hashed. */
function preferAnswers({ log }: Stoppable): void {
  try {
    letPoolStepBack()
  } catch (error) {
    log.info({ err: error }, 'the system does not let passwords be hashed with less urgency than answers')
  }
}

function stopOnSignal({ log, stop }: Stoppable): void {
  let stoppingSince: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stoppingSince === undefined) {
      stoppingSince = performance.now()
      log.info({ signal }, 'closing: requests under way are finished first')
      const cutOff = (): void => {
        log.warn('not everything could be closed; what is left is cut off')
        process.exit()
      }
      setTimeout(cutOff, CLOSE_LIMIT_MS).unref()
      void stop().then(() => setTimeout(cutOff, LINGER_MS).unref())
    } else if (performance.now() - stoppingSince > ONE_SIGNAL_MS) {
      log.warn({ signal }, 'closing at once: requests under way are cut off')
      process.exit(1)
    }
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal)
}

/** What could not start says why in words for the operator, and nothing else. */
function refuse(error: unknown): number {
  if (error instanceof SettingsError) {
    const problems = error.problems.map(({ setting, message }) => `  ${setting} ${message}\n`)
    process.stderr.write(`Latchkey cannot start: the settings have problems.\n${problems.join('')}`)
    return 78
  }
  if (error instanceof WorkerCannotStart) return error.exitCode
  if (!(error instanceof AppError)) throw error
  process.stderr.write(`Latchkey cannot start. ${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
  return 78
}
