/**
 * Deletes what has expired: codes, tokens, sessions, interactions, counters of attempts. The protocol library never
 * does. It runs every minute in one process at a time, in small batches, so that nobody waits behind it.
 */
import type { Feature } from '#core/feature.ts'
import { sweepAttempts } from '#platform/database/attempt-counter.ts'

const BATCH = 500
const MAX_BATCHES = 40

export const expiry: Feature = {
  word: 'expiry',
  jobs: ({ artifacts, database, clock, log }) => [
    {
      name: 'expiry',
      everySeconds: 60,
      async run() {
        let swept = 0
        for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
          const counts = await Promise.all([
            artifacts.sweep(clock.now(), BATCH),
            sweepAttempts(database.db.withTables(), clock.now(), BATCH),
          ])
          swept += counts[0] + counts[1]
          if (counts.every((count) => count < BATCH)) break
        }
        if (swept > 0) log.debug({ swept }, 'expired rows deleted')
      },
    },
  ],
}
