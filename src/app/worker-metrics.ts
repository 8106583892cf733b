/**
 * The numbers of several workers, whichever of them is asked: it asks the supervisor, which asks them all. Each series
 * carries the worker's number, 1 to `WORKERS`, so that a worker that was replaced looks like one that started again, and
 * not like a fall of everybody's sum.
 */
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client'
import { AppError } from '#platform/errors.ts'

type Numbers = readonly MetricObjectWithValues<MetricValue<string>>[]

/** What goes between a worker and the supervisor. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly greeting: string }
  | { readonly kind: 'metrics wanted' }
  | { readonly kind: 'numbers'; readonly numbers: Numbers }
export type SupervisorMessage =
  { readonly kind: 'numbers wanted' } | { readonly kind: 'metrics'; readonly text: string }

/** A worker that is busy for longer, or has just died, is left out. */
const PATIENCE_MS = 2_000

/** In a worker: gives the supervisor its own numbers when asked, and asks for those of all. */
export function metricsThroughSupervisor(own: Registry): () => Promise<string> {
  const waiting: ((text: string) => void)[] = []
  process.on('message', (message: SupervisorMessage) => {
    if (message.kind === 'metrics') {
      for (const resolve of waiting.splice(0)) resolve(message.text)
    } else {
      void own.getMetricsAsJSON().then((numbers) => tellSupervisor({ kind: 'numbers', numbers }))
    }
  })
  return async () => {
    const answered = new Promise<string>((resolve) => waiting.push(resolve))
    tellSupervisor({ kind: 'metrics wanted' })
    const text = await Promise.race([answered, sleep(2 * PATIENCE_MS, undefined, { ref: false })])
    if (text === undefined) throw new AppError('unavailable', 'The supervisor gives no metrics.')
    return text
  }
}

export function tellSupervisor(message: WorkerMessage): void {
  // where the supervisor is gone there is nobody to tell, and this worker ends
  process.send?.(message, undefined, undefined, () => {})
}

/** In the supervisor: answers each worker that asks. @param workers by number, those of this moment */
export function answerWithMetrics(workers: ReadonlyMap<number, Worker>): void {
  let gathering: Promise<string> | undefined
  cluster.on('message', (asking, message: WorkerMessage) => {
    if (message.kind !== 'metrics wanted') return
    gathering ??= gather(workers).finally(() => (gathering = undefined))
    // where it fails, who asked hears in the end that nothing came
    gathering.then((text) => tell(asking, { kind: 'metrics', text })).catch(() => {})
  })
}

async function gather(workers: ReadonlyMap<number, Worker>): Promise<string> {
  const alive = [...workers].filter(([, worker]) => worker.isConnected())
  const numbers = await Promise.all(alive.map(([number, worker]) => numbersOf(worker, String(number))))
  return AggregatorRegistry.aggregate(numbers).metrics()
}

async function numbersOf(worker: Worker, number: string): Promise<object[]> {
  const heard = Promise.withResolvers<Numbers>()
  const listen = (message: WorkerMessage): void => {
    if (message.kind === 'numbers') heard.resolve(message.numbers)
  }
  worker.on('message', listen)
  tell(worker, { kind: 'numbers wanted' })
  const numbers = await Promise.race([heard.promise, sleep(PATIENCE_MS, [] as Numbers, { ref: false })])
  worker.off('message', listen)
  return numbers.map((metric) => ({
    ...metric,
    aggregator: 'sum', // of one each, since no two workers have a series in common
    values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker: number } })),
  }))
}

function tell(worker: Worker, message: SupervisorMessage): void {
  if (worker.isConnected()) worker.send(message, () => {})
}
