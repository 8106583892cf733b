/**
 * The words that a sign-in's steps speak with the dispatcher. A scene is what a step may know of the interaction; an
 * outcome is all it may say. Neither knows HTTP or the protocol library.
 */
import type { Account } from './accounts/account.ts'
import type { DetailLine } from './apis/detail-type.ts'
import type { Method } from './authentication.ts'
import type { Client } from './clients/client.ts'

export type StepName = 'select-account' | 'password' | 'consent' | 'no-access'

/** A proof of who the person is; core/authentication.ts tells what its method is worth. */
export interface Evidence {
  readonly accountId: string
  /** When the account had last been changed as it was proven, in epoch seconds. */
  readonly accountChangedAt: number
  readonly method: Method
}

export interface StepScene {
  /** Where the step's form is sent. */
  readonly action: string
  /** The token that the form has to carry. */
  readonly csrf: string
  readonly client: Client
  /** The person this browser is signed in as, if any. */
  readonly account: Account | undefined
  /** True where the person has to prove again that it is them: prompt=login, max_age, a hint that names them. */
  readonly reauthenticate: boolean
  /** Who the relying party expects (login_hint), untrusted. */
  readonly loginHint: string | undefined
  /** What a consent would have to cover that was not covered yet. */
  readonly asked: AskedConsent
  /** Where the browser goes back to in the end. */
  readonly redirectUri: string
}

export interface AskedConsent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: readonly AskedResource[]
  /** Asked for each time. */
  readonly details: readonly AskedDetail[]
}

/** An API that the application wants to use in the person's name, and what it wants to do there. */
export interface AskedResource {
  readonly identifier: string
  readonly name: string
  readonly scopes: readonly string[]
}

/** One thing that the application wants to do at an API (RFC 9396), in words. */
export interface AskedDetail {
  readonly title: string
  readonly api: string
  readonly lines: readonly DetailLine[]
}

export type StepOutcome =
  | { readonly kind: 'again' }
  /** `remember`: the person wants to stay signed in on this device. */
  | { readonly kind: 'proven'; readonly evidence: Evidence; readonly remember: boolean }
  | ({ readonly kind: 'consented' } & AskedConsent)
  /** Go on as the account that this browser is signed in as. */
  | { readonly kind: 'account-selected' }
  /** Prove who you are, as anybody; the current session ends only if that is somebody else. */
  | { readonly kind: 'other-account' }
  /** Leave the current session and prove who you are from the start. */
  | { readonly kind: 'switch-account' }
  /** Back to the relying party with an error (RFC 6749 §4.1.2.1). */
  | { readonly kind: 'refused'; readonly error: 'access_denied'; readonly description: string }
