// What is asked next, for every state that a sign-in can be in.
import { expect, test } from 'vitest'
import type { Evidence } from '#core/sign-in-steps.ts'
import { nextStep, type SignInState } from '#features/sign-in/next-step.ts'

const prompts = ['select_account', 'login', 'access', 'consent'] as const
const either = [true, false] as const
const proof: Evidence = { accountId: 'a', accountChangedAt: 0, method: 'password' }

const states: SignInState[] = prompts.flatMap((prompt) =>
  either.flatMap((signedIn) =>
    either.flatMap((otherAccount) =>
      [[], [proof], [proof, proof]].map((evidence) => ({ prompt, signedIn, otherAccount, evidence })),
    ),
  ),
)

/** Told as people would tell it, not as the code does. */
function expected({ prompt, signedIn, otherAccount, evidence }: SignInState): string {
  if (evidence.length > 0) return 'finish'
  if (!signedIn) return 'password'
  if (otherAccount) return 'password'
  switch (prompt) {
    case 'select_account':
      return 'select-account'
    case 'login':
      return 'password'
    case 'access':
      return 'no-access'
    case 'consent':
      return 'consent'
  }
}

test('there are as many states as combinations', () => {
  expect(states).toHaveLength(4 * 2 * 2 * 3)
})

test.each(states.map((state) => [expected(state), state] as const))('%s, given %j', (step, state) => {
  expect(nextStep(state)).toBe(step)
})

test('the same state gives the same step, and is not changed', () => {
  for (const state of states) {
    const before = JSON.stringify(state)
    expect(nextStep(state)).toBe(nextStep(state))
    expect(JSON.stringify(state)).toBe(before)
  }
})
