import { randomUUID } from 'node:crypto'
import type { Feature, Job } from '#core/feature.ts'
import type { Services } from '#core/services.ts'
import type { Needs } from '#oidc/needs.ts'
import { takeLease } from '#platform/database/lease.ts'

/**
 * Runs the features' jobs, each in one process at a time: whoever holds its lease in the database. A job that fails
 * is logged and tried again at its next turn. The returned function stops them and waits for one under way.
 */
export function startJobs(features: readonly Feature<Needs>[], services: Services): () => Promise<void> {
  const holder = randomUUID()
  const running = new Set<Promise<void>>()
  const timers = features
    .flatMap(({ jobs }) => jobs?.(services) ?? [])
    .map((job) => {
      const timer = setInterval(() => {
        const run = runUnderLease(job, holder, services).finally(() => running.delete(run))
        running.add(run)
      }, job.everySeconds * 1_000)
      return timer.unref()
    })

  return async () => {
    for (const timer of timers) clearInterval(timer)
    await Promise.all(running)
  }
}

async function runUnderLease(job: Job, holder: string, { database, clock, log }: Services): Promise<void> {
  try {
    // a lease that outlives one turn keeps two processes from taking turns within one
    if (await takeLease(database.db.withTables(), `job:${job.name}`, holder, clock.now(), job.everySeconds * 2))
      await job.run()
  } catch (error) {
    log.warn({ err: error, job: job.name }, 'a job failed; it is tried again at its next turn')
  }
}
