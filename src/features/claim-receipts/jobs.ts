import type { ClaimReceipts } from '#core/claim-receipts/claim-receipts.ts'
import type { Job } from '#core/feature.ts'
import type { Log } from '#platform/log.ts'

const EVERY_SECONDS = 300
const BATCH = 500
const MAX_BATCHES = 200

/** Deletes what is older than the retention, in batches so small that no release waits long behind one. */
export function sweepReceipts(receipts: Pick<ClaimReceipts, 'sweep'>, log: Pick<Log, 'debug'>): Job {
  return {
    name: 'sweep-claim-receipts',
    everySeconds: EVERY_SECONDS,
    async run() {
      let swept = 0
      for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
        const count = await receipts.sweep(BATCH)
        swept += count
        if (count < BATCH) break
      }
      if (swept > 0) log.debug({ swept }, 'old claim receipts deleted')
    },
  }
}
