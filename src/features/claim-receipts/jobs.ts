import type { ClaimReceipts } from '#core/claim-receipts/claim-receipts.ts'
import type { Job } from '#core/feature.ts'
import { sweepAll } from '#platform/database/sweep.ts'
import type { Log } from '#platform/log.ts'

const EVERY_SECONDS = 300

/** Deletes what is older than the retention. */
export function sweepReceipts(receipts: Pick<ClaimReceipts, 'sweep'>, log: Pick<Log, 'debug'>): Job {
  return {
    name: 'sweep-claim-receipts',
    everySeconds: EVERY_SECONDS,
    async run() {
      const swept = await sweepAll((limit) => receipts.sweep(limit))
      if (swept > 0) log.debug({ swept }, 'old claim receipts deleted')
    },
  }
}
