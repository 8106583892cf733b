/**
 * Anybody can be refused as often as they like, so refusals are written in full only within a budget of each network
 * and one of all: whoever floods fills no disk. What is beyond is counted.
 */
import { tokenBuckets } from '#platform/token-buckets.ts'

interface Allowance {
  /** How many at once. */
  readonly most: number
  readonly perMinute: number
}

const OF_A_NETWORK: Allowance = { most: 1_000, perMinute: 20 }
const OF_ALL: Allowance = { most: 5_000, perMinute: 300 }

/** True where the next refusal of the network may be written in full. */
export function refusalBudget(): (network: string) => boolean {
  const networks = tokenBuckets(OF_A_NETWORK.most, OF_A_NETWORK.perMinute / 60)
  const everybody = tokenBuckets(OF_ALL.most, OF_ALL.perMinute / 60)
  // who has used up their own takes nothing of what is everybody's
  return (network) => networks.take(network, 1) === undefined && everybody.take('', 1) === undefined
}
