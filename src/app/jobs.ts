import { randomUUID } from 'node:crypto'
import type { Feature, Job } from '#core/feature.ts'
import type { Services } from '#core/services.ts'
import type { Needs } from '#oidc/needs.ts'
import { takeLease } from '#platform/database/lease.ts'
import { watch } from '#platform/watch.ts'

/**
 * Runs the features' jobs, each in one process at a time: whoever holds its lease in the database. A job that fails is
 * logged and tried again at its next turn; one that takes long is not begun again meanwhile. The returned function
 * stops them and waits for one under way.
 */
export function startJobs(features: readonly Feature<Needs>[], services: Services): () => Promise<void> {
  const holder = randomUUID()
  const stops = features
    .flatMap(({ jobs }) => jobs?.(services) ?? [])
    .map((job) =>
      watch(
        job.everySeconds * 1_000,
        () => runUnderLease(job, holder, services),
        (error) => services.log.warn({ err: error, job: job.name }, 'a job failed; it is tried again at its next turn'),
      ),
    )
  return async () => void (await Promise.all(stops.map((stop) => stop())))
}

async function runUnderLease(job: Job, holder: string, { database, clock }: Services): Promise<void> {
  // a lease that outlives one turn keeps two processes from taking turns within one
  if (await takeLease(database.db.withTables(), `job:${job.name}`, holder, clock.now(), job.everySeconds * 2))
    await job.run()
}
