/**
 * Deletes what has expired: codes, tokens, sessions, interactions. The protocol library never does. It runs every
 * minute in one process at a time, in small batches, so that nobody waits behind it.
 */
import type { Feature } from '#core/feature.ts'

const BATCH = 500
const MAX_BATCHES = 40

export const expiry: Feature = {
  word: 'expiry',
  jobs: ({ artifacts, clock, log }) => [
    {
      name: 'expiry',
      everySeconds: 60,
      async run() {
        let swept = 0
        for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
          const count = await artifacts.sweep(clock.now(), BATCH)
          swept += count
          if (count < BATCH) break
        }
        if (swept > 0) log.debug({ swept }, 'expired rows deleted')
      },
    },
  ],
}
