/**
 * The sign-in shell: the dispatcher of one interaction. It owns GET and POST /interaction/:uid. It loads what the
 * relying party's request waits for, asks the pure function in next-step.ts what comes next, lets that step show its
 * form or judge what was posted, and finishes the interaction when nothing is missing. The steps come from other
 * rooms through the `steps` socket; the only one of its own is `no-access`. It deliberately does not know how anybody
 * proves who they are, nor what a consent says.
 */
import type { Feature } from '#core/feature.ts'
import type { Needs } from '#oidc/needs.ts'
import { noAccess } from './no-access.ts'
import { signInRoutes } from './routes.ts'

export const signIn: Feature<Needs> = {
  word: 'sign-in',
  routes: (needs) => signInRoutes(needs),
  steps: () => [noAccess],
}
