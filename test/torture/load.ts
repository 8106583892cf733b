// The load: clients and people at work, each kind of work again and again until it is stopped. A turn of work writes
// into the ledger what was acknowledged. What is new to the product and may be used once, or must not be lost, is one
// more line of `works`.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '#platform/errors.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { patiently } from '../support/patience.ts'
import { codeBySignIn, Unanswered } from './asking.ts'
import { consents } from './work-consents.ts'
import { codes, devices, pushedRequests, revocations } from './work-codes.ts'
import { assertions, backchannelRequests, people, registrations, signIns } from './work-others.ts'
import type { Work } from './work.ts'
import type { World } from './world.ts'

/** How many do the work at the same time. */
const works: readonly { readonly turn: (work: Work) => Promise<void>; readonly workers: number }[] = [
  { turn: codes, workers: 5 },
  { turn: revocations, workers: 1 },
  { turn: pushedRequests, workers: 1 },
  { turn: devices, workers: 1 },
  { turn: consents, workers: 1 },
  { turn: signIns, workers: 1 },
  { turn: people, workers: 1 },
  { turn: assertions, workers: 1 },
  { turn: registrations, workers: 1 },
  { turn: backchannelRequests, workers: 1 },
]

export interface Load {
  /** Turns that were finished. */
  turns(): number
  /** What was answered and should not have been. */
  stop(): Promise<readonly string[]>
}

/** Signs Ada in once for every worker. */
export async function signInAll({ app, client }: World): Promise<BrowserSession[]> {
  const browsers = works.flatMap(({ workers }) => Array.from({ length: workers }, () => browserSession(app.issuer)))
  // one after another: passwords are hashed a few at a time
  for (const browser of browsers) await patiently(() => codeBySignIn(app, client, browser))
  return browsers
}

export function startLoad(given: Omit<Work, 'browser'>, browsers: readonly BrowserSession[]): Load {
  const violations: string[] = []
  const state = { stopped: false, turns: 0 }
  const repeat = async (turn: (work: Work) => Promise<void>, browser: BrowserSession): Promise<void> => {
    while (!state.stopped) {
      try {
        await turn({ ...given, browser })
        state.turns += 1
      } catch (error) {
        if (!isTrouble(error)) violations.push(`${turn.name}: ${String(error)}`)
      }
      // what SQLite does in this process waits for nothing, and would keep everybody else from their turn
      await sleep(10)
    }
  }
  const all = works.flatMap(({ turn, workers }) => Array.from({ length: workers }, () => turn))
  const running = Promise.all(
    browsers.map(async (browser, index) => {
      const turn = all[index]
      if (turn) await repeat(turn, browser)
    }),
  )
  return {
    turns: () => state.turns,
    async stop() {
      state.stopped = true
      await running
      return violations
    },
  }
}

/** No answer (fetch tells a connection that broke as a TypeError), 503, or a database that our own services miss too. */
function isTrouble(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'unavailable'
  return error instanceof Unanswered || (error instanceof TypeError && error.message === 'fetch failed')
}
