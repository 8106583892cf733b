import type { Evidence, StepName } from '#core/sign-in-steps.ts'

export interface SignInState {
  /** What the relying party's request waits for. */
  readonly prompt: 'login' | 'access' | 'consent'
  /** Is the browser signed in as somebody? */
  readonly signedIn: boolean
  /** What was proven just now. */
  readonly evidence: readonly Evidence[]
}

/**
 * The next thing to ask of the person, or `finish` where nothing is missing. Pure: the same state gives the same step,
 * so a step that is skipped, repeated or posted out of turn is found out by asking again.
 */
export function nextStep({ prompt, signedIn, evidence }: SignInState): StepName | 'finish' {
  if (evidence.length > 0) return 'finish'
  if (prompt === 'login' || !signedIn) return 'password'
  return prompt === 'access' ? 'no-access' : 'consent'
}
