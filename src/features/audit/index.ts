/**
 * The audit for the operator: `latchkey audit …` lists, follows, exports and verifies it; two jobs seal what was
 * written and delete what is older than the setting allows. What is put on record stands beside each rule, through
 * core/audit; refusals of requests come from src/oidc. This room deliberately writes no event of its own.
 */
import type { Feature } from '#core/feature.ts'
import { auditCommands } from './commands.ts'
import { sealAudit, sweepAudit } from './jobs.ts'

export const audit: Feature = {
  word: 'audit',
  commands: [auditCommands],
  jobs: ({ auditTrail, log }) => [sealAudit(auditTrail), sweepAudit(auditTrail, log)],
}
