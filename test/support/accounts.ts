// What the rules of people need besides passwords, where they are tested by themselves.
import type { AccountsNeeds } from '#core/accounts/accounts.ts'
import type { Guesser } from '#core/accounts/password-guesses.ts'
import { createGuesses } from '#core/guesses/guesses.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { openLog } from '#platform/log.ts'
import { auditOn, someSecrets } from './audit.ts'

/** Where a password comes from that is nobody's guess. */
export const SOMEWHERE: Guesser = { request: { id: 'nowhere', clientAddress: '192.0.2.1' }, knownBrowser: undefined }

export function accountsNeeds(database: Database<Tables>, clock: Clock): Omit<AccountsNeeds, 'passwords'> {
  const audit = auditOn(database)
  const secrets = someSecrets()
  const log = openLog({ level: 'silent', format: 'json' })
  return { database, clock, audit, secrets, guesses: createGuesses({ database, secrets, clock, audit, log }) }
}
