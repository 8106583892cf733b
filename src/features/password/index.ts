/**
 * Proving who you are with a password: the step `password` of a sign-in, its page and its one sentence of refusal. The
 * room also tells browsers in which the person signed in before from others (known-browser.ts). How passwords are
 * hashed, compared and limited is the business of core/accounts; which step follows, of sign-in.
 */
import type { Feature } from '#core/feature.ts'
import type { Needs } from '#oidc/needs.ts'
import { passwordStep } from './step.ts'

export const password: Feature<Needs> = {
  word: 'password',
  steps: (needs) => [passwordStep(needs)],
}
