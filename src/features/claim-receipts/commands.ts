/** `latchkey claim-receipt …`: reads what was typed, calls one rule of core/claim-receipts, prints what came of it. */
import { claimReceiptJson, type ClaimReceipt } from '#core/claim-receipts/claim-receipt.ts'
import type { ClaimReceipts } from '#core/claim-receipts/claim-receipts.ts'
import type { CommandGroup } from '#platform/cli.ts'
import { inColumns, utc } from '#platform/columns.ts'

interface Needs {
  readonly claimReceipts: ClaimReceipts
}

export const claimReceiptCommands: CommandGroup<Needs> = {
  noun: 'claim-receipt',
  summary: 'Which application was given which claims of a person, and when.',
  commands: [
    {
      verb: 'list',
      summary: 'List what was given, newest first: names of claims, never their values.',
      options: [
        { flags: '--user <who>', description: 'of one person: id, e-mail address or user name' },
        { flags: '--client <id>', description: 'to one application' },
        { flags: '--since <time>', description: 'in the time that has passed, such as 90m, 24h or 7d' },
        { flags: '--limit <number>', description: 'how many at once, 50 unless told' },
        { flags: '--cursor <text>', description: 'go on after an earlier page: its "next"' },
      ],
      async run({ needs: { claimReceipts }, options, terminal }) {
        const { items, next } = await claimReceipts.list(options)
        if (next !== undefined) terminal.say(`There are more: add --cursor ${next}\n`)
        return { json: { items: items.map(claimReceiptJson), next: next ?? null }, text: receiptsText(items) }
      },
    },
  ],
}

function receiptsText(receipts: readonly ClaimReceipt[]): string {
  if (receipts.length === 0) return 'Nothing was given, as far as the receipts that are kept go back.'
  return inColumns(
    receipts.map(({ at, clientId, accountId, place, claims }) => [
      utc(at),
      clientId,
      accountId,
      place,
      claims.join(' '),
    ]),
  )
}
