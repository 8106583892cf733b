import { digest, randomToken } from '#core/secrets.ts'
import type { Clock } from '#platform/clock.ts'

/** What many wrong passwords are together: one tried on many names, or many names with a password each from one network. */
export type Pattern = 'guessing.spraying' | 'guessing.stuffing'

export interface GuessingPatterns {
  /** Which patterns are complete with this wrong password; each is told once. */
  see(guess: { readonly network: string; readonly name: string; readonly password: string }): readonly Pattern[]
}

const SECONDS = 900
/** Nobody types a password of somebody else, and the common ones may not be chosen here. */
const NAMES_OF_A_PASSWORD = 10
/** More people than mistype in an office, and fewer than the network's budget lets be tried. */
const PAIRS_OF_A_NETWORK = 20

/** How each is told. */
export const PATTERNS = {
  'guessing.spraying': {
    rule: `one wrong password was tried on ${NAMES_OF_A_PASSWORD} names within a quarter of an hour`,
    facts: { names: NAMES_OF_A_PASSWORD },
  },
  'guessing.stuffing': {
    rule: `one network tried ${PAIRS_OF_A_NETWORK} names with as many wrong passwords within a quarter of an hour`,
    facts: { names: PAIRS_OF_A_NETWORK, passwords: PAIRS_OF_A_NETWORK },
  },
} as const satisfies Readonly<Record<Pattern, { rule: string; facts: Readonly<Record<string, number>> }>>

/**
 * Tells an attack on many people from one person who mistypes. What was typed is compared in the memory of this process
 * and nowhere else, as digests with a salt that ends with it: at rest, even a wrong password would tell too much. The
 * server's budget bounds how many there are in a quarter of an hour; then all is forgotten.
 */
export function guessingPatterns(clock: Clock): GuessingPatterns {
  const salt = randomToken()
  let seen = nothingSeen()
  let endsAt = 0

  return {
    see({ network, name, password }) {
      if (clock.now() >= endsAt) {
        seen = nothingSeen()
        endsAt = clock.now() + SECONDS
      }
      const person = digest(`${salt}${name}`)
      const secret = digest(`${salt}${password}`)
      const isSprayed = completes(NAMES_OF_A_PASSWORD, [[seen.namesOf(secret), person]])
      const isStuffed = completes(PAIRS_OF_A_NETWORK, [
        [seen.namesFrom(network), person],
        [seen.passwordsFrom(network), secret],
      ])
      return [
        ...(isSprayed ? (['guessing.spraying'] as const) : []),
        ...(isStuffed ? (['guessing.stuffing'] as const) : []),
      ]
    },
  }
}

function nothingSeen() {
  return { namesOf: setsByKey(), namesFrom: setsByKey(), passwordsFrom: setsByKey() }
}

function setsByKey(): (key: string) => Set<string> {
  const sets = new Map<string, Set<string>>()
  return (key) => {
    const set = sets.get(key) ?? new Set()
    sets.set(key, set)
    return set
  }
}

/** Adds a value to each set; true where with these, and not before, each has as many. */
function completes(many: number, additions: readonly (readonly [Set<string>, string])[]): boolean {
  const least = (): number => Math.min(...additions.map(([set]) => set.size))
  const before = least()
  for (const [set, value] of additions) set.add(value)
  return before < many && least() >= many
}
