/**
 * Deletes what has expired: codes, tokens, sessions, interactions, counters of attempts. The protocol library never
 * does. It runs every minute in one process at a time, in small batches, so that nobody waits behind it.
 */
import type { Feature } from '#core/feature.ts'
import { attemptCounters } from '#platform/database/attempt-counter.ts'
import { sweepAll } from '#platform/database/sweep.ts'

export const expiry: Feature = {
  word: 'expiry',
  jobs: ({ artifacts, database, clock, log }) => [
    {
      name: 'expiry',
      everySeconds: 60,
      async run() {
        const counters = attemptCounters(database.db.withTables())
        const swept =
          (await sweepAll((limit) => artifacts.sweep(clock.now(), limit))) +
          (await sweepAll((limit) => counters.sweep(clock.now(), limit)))
        if (swept > 0) log.debug({ swept }, 'expired rows deleted')
      },
    },
  ],
}
