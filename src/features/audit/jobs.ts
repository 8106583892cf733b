import { headOf, type AuditTrail } from '#core/audit/trail.ts'
import type { Job } from '#core/feature.ts'
import { sweepAll } from '#platform/database/sweep.ts'
import type { Log } from '#platform/log.ts'

/** What is not sealed yet can be taken out without a trace; each turn costs a write, even where nothing happened. */
const SEAL_EVERY_SECONDS = 5
const SWEEP_EVERY_SECONDS = 3_600

/** Gives what was written its place in the chain. */
export function sealAudit(trail: Pick<AuditTrail, 'seal'>): Job {
  return { name: 'seal-audit', everySeconds: SEAL_EVERY_SECONDS, run: async () => void (await trail.seal()) }
}

/** Deletes what is older than the retention, and tells the log where the chain ends: a head that can be kept. */
export function sweepAudit(trail: Pick<AuditTrail, 'sweep' | 'end'>, log: Pick<Log, 'info'>): Job {
  return {
    name: 'sweep-audit',
    everySeconds: SWEEP_EVERY_SECONDS,
    async run() {
      const swept = await sweepAll((limit) => trail.sweep(limit))
      log.info({ swept, head: headOf(await trail.end()) }, 'the audit ends here; what was too old is deleted')
    },
  }
}
