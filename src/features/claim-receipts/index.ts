/**
 * Claim receipts for the operator: `latchkey claim-receipt list` tells which client was given which claims of a person
 * and when, and a job deletes what is older than the setting allows. What is put on record, and when, stands in
 * core/claim-receipts; the protocol's floor records each release.
 */
import type { Feature } from '#core/feature.ts'
import { claimReceiptCommands } from './commands.ts'
import { sweepReceipts } from './jobs.ts'

export const claimReceipts: Feature = {
  word: 'claim-receipts',
  commands: [claimReceiptCommands],
  jobs: ({ claimReceipts: receipts, log }) => [sweepReceipts(receipts, log)],
}
