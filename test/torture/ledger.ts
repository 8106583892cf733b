// What the server acknowledged, and how each of it is tried after a recovery. Whoever is about to send what may or may
// not reach the server strikes out what that would change: only what is certain is held against it. A check that uses
// something up may write the line that it is spent now.
import { setTimeout as sleep } from 'node:timers/promises'
import { Unanswered } from './asking.ts'

/** Says what is wrong, or nothing. */
type Check = () => Promise<string | undefined>

/** In this order they are tried: a second use ends the grant, and with it everything else that the browser got. */
const ORDER = ['stands', 'works once', 'is spent'] as const
export type Promised = (typeof ORDER)[number]

export interface Ledger {
  /** @param what one word or two for the report @param key the value itself: a later line replaces an earlier one */
  write(what: string, promised: Promised, key: string, check: Check): void
  /** From here on nobody can know, until the answer is written. */
  strike(key: string): void
  /** Tries everything, empties the ledger, and gives what does not hold. */
  hold(): Promise<Held>
}

export interface Held {
  /** How many lines there were of each kind. */
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly string[]
}

const AT_ONCE = 6

export function openLedger(): Ledger {
  const lines = new Map<string, { what: string; promised: Promised; check: Check }>()
  return {
    write: (what, promised, key, check) => void lines.set(key, { what, promised, check }),
    strike: (key) => void lines.delete(key),
    async hold() {
      const counts: Record<string, number> = {}
      const violations: string[] = []
      for (const { what } of lines.values()) counts[what] = (counts[what] ?? 0) + 1
      for (const promised of ORDER) {
        const waiting = [...lines.values()].filter((line) => line.promised === promised)
        const work = async (): Promise<void> => {
          for (let line = waiting.pop(); line; line = waiting.pop()) {
            const wrong = await tried(line.check, promised)
            if (wrong !== undefined) violations.push(`${line.what} ${promised}, but: ${wrong}`)
          }
        }
        await Promise.all(Array.from({ length: AT_ONCE }, work))
      }
      lines.clear()
      return { counts, violations }
    },
  }
}

/**
 * An answer of 503 is none: what may be tried again is, and of what works once nobody can know any more.
 */
async function tried(check: Check, promised: Promised): Promise<string | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await check()
    } catch (error) {
      if (!(error instanceof Unanswered) || tries === 10) return inWords(error)
      if (promised === 'works once') return undefined
      await sleep(200)
    }
  }
}

/** `fetch` keeps the reason in the cause. */
function inWords(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? `${error} (${error.cause})` : String(error)
}
