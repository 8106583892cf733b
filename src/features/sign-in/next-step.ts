import type { Evidence, StepName } from '#core/sign-in-steps.ts'

export interface SignInState {
  /** What the relying party's request waits for. */
  readonly prompt: 'select_account' | 'login' | 'access' | 'consent'
  /** Is the browser signed in as somebody? */
  readonly signedIn: boolean
  /** Did the person say that they want to go on as somebody else? */
  readonly otherAccount: boolean
  /** What was proven just now. */
  readonly evidence: readonly Evidence[]
}

/** What a prompt asks of somebody who is signed in. */
const STEP_OF = {
  select_account: 'select-account',
  login: 'password',
  access: 'no-access',
  consent: 'consent',
} as const satisfies Record<SignInState['prompt'], StepName>

/**
 * The next thing to ask of the person, or `finish` where nothing is missing. Pure: the same state gives the same step,
 * so a step that is skipped, repeated or posted out of turn is found out by asking again.
 */
export function nextStep({ prompt, signedIn, otherAccount, evidence }: SignInState): StepName | 'finish' {
  if (evidence.length > 0) return 'finish'
  if (!signedIn || otherAccount) return 'password'
  return STEP_OF[prompt]
}
