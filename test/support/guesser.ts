// What accounts ask for besides a database where a test is about something else.
import { randomBytes } from 'node:crypto'
import type { Guesser } from '#core/accounts/password-guesses.ts'
import { createSecrets, type Secrets } from '#core/secrets.ts'

/** Where a password comes from that is nobody's guess. */
export const SOMEWHERE: Guesser = { network: '192.0.2.1', knownBrowser: undefined }

export function someSecrets(): Secrets {
  return createSecrets([randomBytes(32)])
}
