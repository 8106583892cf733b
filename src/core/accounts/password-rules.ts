import type { Account } from './account.ts'
import { isCommonPassword, stemsOf } from './common-passwords.ts'

/** In characters as Unicode counts them (code points), after normalisation. */
const PASSWORD_MIN_CHARACTERS = 8
const PASSWORD_MAX_CHARACTERS = 1_024

const PRODUCT = 'latchkey'

/** No text longer than this, in UTF-16 units, can come down to the limit: it is refused before any work is done on it. */
const HOPELESS_LENGTH = 8 * PASSWORD_MAX_CHARACTERS

/**
 * What is wrong with a password that somebody wants to have, as a sentence that says what to do; undefined where
 * nothing is. Length, a blocklist and what the account itself gives away; no rules of composition, no trimming
 * (NIST SP 800-63B-4 §3.1.1.2).
 */
export function checkNewPassword(password: string, account?: Pick<Account, 'username' | 'email'>): string | undefined {
  if (isTooLong(password)) return `The password is too long: use at most ${PASSWORD_MAX_CHARACTERS} characters.`
  const canonical = canonicalPassword(password)
  if (charactersIn(canonical) < PASSWORD_MIN_CHARACTERS) {
    return `The password is too short: use at least ${PASSWORD_MIN_CHARACTERS} characters, better 15 or more.`
  }
  const folded = canonical.toLowerCase()
  const stems = stemsOf(folded)
  if (stems.includes(PRODUCT))
    return 'The password is the name of this product: choose one that nobody would try first.'
  if (namesOf(account).some((name) => stems.includes(name))) {
    return "The password is the person's user name or e-mail address: choose one that does not follow from them."
  }
  if (isCommonPassword(folded)) {
    return 'The password is one of the most common ones, or hardly differs from one: choose several words that do not belong together, or let a password manager make one.'
  }
  return undefined
}

/** One form for what may be typed in several ways (é as one character or as two), so that every keyboard signs in. */
export function canonicalPassword(password: string): string {
  return password.normalize('NFC')
}

/** True for a password that nobody can have because it is longer than the limit. */
export function isTooLong(password: string): boolean {
  return password.length > HOPELESS_LENGTH || charactersIn(canonicalPassword(password)) > PASSWORD_MAX_CHARACTERS
}

function charactersIn(text: string): number {
  return Array.from(text).length
}

function namesOf(account: Pick<Account, 'username' | 'email'> | undefined): readonly string[] {
  const localPart = account?.email?.slice(0, account.email.lastIndexOf('@'))
  return [account?.username, account?.email, localPart]
    .filter((name) => name !== undefined)
    .map((name) => canonicalPassword(name).toLowerCase())
}
