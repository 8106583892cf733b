/**
 * How long one request waits for the database, in all its statements together. A statement has a deadline of its own;
 * without this, ten slow ones would make a request that takes ten times as long.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Patience {
  leftMs: number
}

const patienceOf = new AsyncLocalStorage<Patience>()

/** Runs with so many milliseconds of waiting for the database; what it leaves behind has as long as it likes. */
export function withPatience<R>(ms: number, run: () => Promise<R>): Promise<R> {
  const patience: Patience = { leftMs: ms }
  return patienceOf.run(patience, () => run().finally(() => (patience.leftMs = Number.POSITIVE_INFINITY)))
}

/** How many milliseconds may still be waited: never more than `most`, and none once all are spent. */
export function patienceLeft(most: number): number {
  return Math.max(0, Math.min(most, patienceOf.getStore()?.leftMs ?? most))
}

/** Waits, and counts the time against the patience there is. */
export async function spendPatience<R>(wait: () => Promise<R>): Promise<R> {
  const patience = patienceOf.getStore()
  if (!patience) return wait()
  const began = performance.now()
  try {
    return await wait()
  } finally {
    patience.leftMs -= performance.now() - began
  }
}
