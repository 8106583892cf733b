/**
 * Anybody can be refused as often as they like, so refusals are written in full only within a budget of each network
 * and one of all: whoever floods fills no disk. What is beyond is counted.
 */
import type { Clock } from '#platform/clock.ts'

interface Allowance {
  /** How many at once. */
  readonly most: number
  readonly perMinute: number
}

const OF_A_NETWORK: Allowance = { most: 1_000, perMinute: 20 }
const OF_ALL: Allowance = { most: 5_000, perMinute: 300 }
/** Beyond, networks are forgotten; the allowance of all still holds. */
const MOST_NETWORKS = 10_000

/** True where the next refusal of the network may be written in full. */
export function refusalBudget(clock: Clock): (network: string) => boolean {
  const all = bucket(OF_ALL, clock)
  const networks = new Map<string, () => boolean>()
  return (network) => {
    let own = networks.get(network)
    if (!own) {
      if (networks.size >= MOST_NETWORKS) networks.clear()
      own = bucket(OF_A_NETWORK, clock)
      networks.set(network, own)
    }
    // who has used up their own takes nothing of what is everybody's
    return own() && all()
  }
}

function bucket({ most, perMinute }: Allowance, clock: Clock): () => boolean {
  let left = most
  let filledAt = clock.now()
  return () => {
    const now = clock.now()
    left = Math.min(most, left + (Math.max(0, now - filledAt) * perMinute) / 60)
    filledAt = now
    if (left < 1) return false
    left -= 1
    return true
  }
}
