// What a turn of work is given: the installation, where to write what was acknowledged, and a browser of its own.
import type { BrowserSession } from '../support/browser-session.ts'
import type { Ledger } from './ledger.ts'
import type { Random } from './random.ts'
import type { Verifier } from './verifier.ts'
import type { World } from './world.ts'

export interface Work {
  readonly world: World
  readonly ledger: Ledger
  readonly random: Random
  /** A browser in which Ada is signed in, and stays so over all rounds. */
  readonly browser: BrowserSession
  readonly verifier: Verifier
}
