import type { Step } from '#core/feature.ts'
import type { Services } from '#core/services.ts'
import type { Approvals } from './approvals.ts'
import type { Interactions } from './interactions.ts'
import type { Protocol } from './provider.ts'

/** What the routes and steps of rooms are given while the server runs. */
export interface Needs extends Services {
  readonly protocol: Protocol
  readonly interactions: Interactions
  readonly approvals: Approvals
  /** The steps that the features plug into the sign-in. */
  readonly steps: readonly Step[]
}
