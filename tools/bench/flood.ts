// Far more sign-ins than the machine can hash, and what everybody else feels of it.
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPasswords } from '#core/accounts/passwords.ts'
import type { Answer } from './http.ts'
import { paced, quantile } from './load.ts'
import { OPERATIONS } from './operations/all.ts'
import { signInPage } from './operations/code-flow.ts'
import { personOf, type Play, type Target } from './operations/operation.ts'
import type { FloodReport } from './report.ts'
import { virtualBrowser, type VirtualBrowser } from './virtual-browser.ts'
import { PASSWORD } from './world.ts'

const TIMES_THE_LIMIT = 20
/** More than the server's queue holds, so that it is always full. */
const BROWSERS = 300
const TICK_MS = 5
const BESIDE = ['refresh-es256', 'userinfo', 'jwks']
const BESIDE_EVERY_MS = 20
/** They take turns, so that an answer that takes longer than the pace does not hold up the next request. */
const BESIDE_LANES = 12

/** Passwords a second that this machine can hash, on all cores and with nothing else to do. */
export async function argon2PerSecond(seconds: number): Promise<number> {
  const passwords = createPasswords({ slots: availableParallelism(), queue: 1_000 })
  const until = performance.now() + seconds * 1_000
  let hashed = 0
  const lane = async (): Promise<void> => {
    while (performance.now() < until) {
      await passwords.verify(undefined, PASSWORD)
      hashed += 1
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, lane))
  return hashed / seconds
}

/** Measures refresh, userinfo and JWKS at a gentle pace, first alone and then beside the flood. */
export async function flooded(target: Target, seconds: number): Promise<FloodReport> {
  const limit = await argon2PerSecond(seconds)
  const beside = OPERATIONS.filter(({ name }) => BESIDE.includes(name))
  const lanes = await Promise.all(
    beside.map(({ prepare }) => Promise.all(Array.from({ length: BESIDE_LANES }, (_, lane) => prepare(target, lane)))),
  )
  const p99Of = async (plays: readonly Play[]) => quantile(await paced(plays, BESIDE_EVERY_MS, seconds * 1_000), 0.99)
  const p99OfAll = () => Promise.all(lanes.map(p99Of))

  const idle = await p99OfAll()
  const flood = await startFlood(target, TIMES_THE_LIMIT * limit)
  await sleep(1_000)
  const during = await p99OfAll()
  const { sent, signedIn } = await flood.end()
  return {
    argon2PerSecond: limit,
    sent,
    signedIn,
    beside: beside.map(({ name }, index) => ({ name, idleP99Ms: idle[index] ?? 0, floodP99Ms: during[index] ?? 0 })),
  }
}

interface Flood {
  /** How many a second there were. */
  end(): Promise<Pick<FloodReport, 'sent' | 'signedIn'>>
}

/** Sends the sign-in form that often a second, however it is answered; a browser that got in begins again. */
async function startFlood(target: Target, perSecond: number): Promise<Flood> {
  const ready = await Promise.all(Array.from({ length: BROWSERS }, (_, index) => waiting(target, index)))
  const counted = { sent: 0, signedIn: 0 }
  const under = new Set<Promise<void>>()
  const startedAt = performance.now()

  const send = async (browser: Waiting): Promise<void> => {
    const { username } = personOf(target, browser.lane)
    const answer = await browser.session.submit(browser.page, { username, password: PASSWORD })
    if (answer.status === 303) {
      counted.signedIn += 1
      ready.push(await waiting(target, browser.lane))
    } else if (answer.status === 503) ready.push(browser)
    else throw new Error(`a sign-in of the flood was answered ${answer.status}: ${answer.body.slice(0, 300)}`)
  }

  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond
    while (counted.sent < due) {
      const browser = ready.shift()
      if (!browser) return
      counted.sent += 1
      const sending = send(browser).finally(() => under.delete(sending))
      under.add(sending)
    }
  }, TICK_MS)

  return {
    async end() {
      clearInterval(timer)
      const seconds = (performance.now() - startedAt) / 1_000
      const { sent, signedIn } = counted
      await Promise.all(under)
      return { sent: sent / seconds, signedIn: signedIn / seconds }
    },
  }
}

interface Waiting {
  readonly session: VirtualBrowser
  readonly page: Answer
  readonly lane: number
}

/** A browser that shows the sign-in page. */
async function waiting(target: Target, lane: number): Promise<Waiting> {
  const session = virtualBrowser(target.http)
  return { session, page: await signInPage(session, target.world.own), lane }
}
