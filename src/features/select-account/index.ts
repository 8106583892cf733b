/**
 * The account chooser (prompt=select_account, OpenID Connect Core 1.0 §3.1.2.1): the step `select-account` of a sign-in,
 * its page and nothing else. It shows the one account that this browser is signed in as, and a way to any other; where
 * nobody is signed in there is nothing to choose, and sign-in goes straight to the proof. It deliberately remembers no
 * accounts of earlier sessions: whoever opens a shared browser would learn who else uses it.
 */
import type { Feature } from '#core/feature.ts'
import type { Needs } from '#oidc/needs.ts'
import { selectAccountStep } from './step.ts'

export const selectAccount: Feature<Needs> = {
  word: 'select-account',
  steps: () => [selectAccountStep],
}
