/**
 * Several processes on one port (`WORKERS`): a supervisor that serves nothing itself. The first worker starts alone, so
 * that what keeps a server from starting is said once; the others follow when it is ready, and a signal that comes
 * meanwhile ends them all. A worker that dies is replaced.
 */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLog } from '#platform/log.ts'
import type { Config } from './config.ts'
import { WorkerCannotStart, type Stoppable } from './serve.ts'
import { answerWithMetrics, tellSupervisor, type WorkerMessage } from './worker-metrics.ts'

interface Announced extends Stoppable {
  /** What is said to whoever started the server; of several workers the first one says it. */
  readonly greeting: string
}

/** A replacement that cannot start either, since the database is away, is tried again after so long. */
const TRY_AGAIN_MS = 1_000

/** @throws WorkerCannotStart */
export async function supervise({ workers, log: settings }: Config): Promise<Announced> {
  const log = openLog(settings)
  const byNumber = new Map<number, Worker>()
  let stopping = false
  // numbers that JSON has no word for stay what they are
  cluster.setupPrimary({ serialization: 'advanced' })
  answerWithMetrics(byNumber)

  const startOne = async (number: number): Promise<string> => {
    const worker = cluster.fork()
    const greeting = await readiness(worker)
    byNumber.set(number, worker)
    log.info({ worker: worker.process.pid }, 'a worker serves')
    worker.once('exit', (code, signal) => {
      if (stopping) return
      log.warn({ worker: worker.process.pid, code, signal }, 'a worker died; another one takes its place')
      void replace(number)
    })
    return greeting
  }

  const replace = async (number: number): Promise<void> => {
    if (stopping) return
    try {
      await startOne(number)
    } catch (error) {
      if (stopping) return
      log.error({ err: error }, 'a worker cannot take the place of another; it is tried again')
      await sleep(TRY_AGAIN_MS)
      return replace(number)
    }
  }

  const greeting = await startOne(1)
  for (let place = 2; place <= workers; place += 1) void replace(place)

  return {
    log,
    greeting,
    async stop() {
      stopping = true
      await Promise.all(Object.values(cluster.workers ?? {}).flatMap((worker) => (worker ? [end(worker)] : [])))
    },
  }
}

/** Says it to the supervisor, which waits for it, and leaves nothing to be said here. */
export function throughSupervisor(greeting: string): '' {
  tellSupervisor({ kind: 'ready', greeting })
  return ''
}

/** What the worker says when it is ready. @throws WorkerCannotStart where it ends before */
function readiness(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => message.kind === 'ready' && resolve(message.greeting))
    worker.once('exit', (code: number | null) => reject(new WorkerCannotStart(code ?? 1)))
  })
}

async function end(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit')
  worker.process.kill('SIGTERM')
  await ended
}
