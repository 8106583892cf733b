/**
 * Anybody can be refused as often as they like, so refusals are written in full only within a budget of each network
 * and one of all: whoever floods fills no disk. What is beyond is counted, and a row a minute tells how many there were.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { tokenBuckets } from '#platform/token-buckets.ts'
import type { AuditEvent, AuditType } from './event.ts'

export interface RefusalBudget {
  /** True where the next refusal of the network may be written in full. */
  has(network: string): boolean
  /** One that was not written. */
  count(type: AuditType, network: string): void
  /** Tells at once how many there were. */
  tell(): void
}

interface Allowance {
  /** How many at once. */
  readonly most: number
  readonly perMinute: number
}

const OF_A_NETWORK: Allowance = { most: 1_000, perMinute: 20 }
const OF_ALL: Allowance = { most: 5_000, perMinute: 300 }
const SUMMARY_MS = 60_000
/** Beyond so many, what is counted is counted for all networks together. */
const MOST_SUMMARIES = 100

/** @param keep writes the row of a summary; false where there is no room for it yet */
export function refusalBudget(keep: (event: AuditEvent) => boolean): RefusalBudget {
  const networks = tokenBuckets(OF_A_NETWORK.most, OF_A_NETWORK.perMinute / 60)
  const everybody = tokenBuckets(OF_ALL.most, OF_ALL.perMinute / 60)
  const counted = new Map<string, { type: AuditType; network: string | undefined; refusals: number }>()
  let timer: NodeJS.Timeout | undefined
  const outside = AsyncLocalStorage.snapshot()

  const tell = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (const [key, { type, ...facts }] of counted) {
      const rule = 'more refusals than are kept one by one'
      if (!keep({ type, by: { kind: 'unknown' }, rule, facts })) return
      counted.delete(key)
    }
  }

  return {
    // who has used up their own takes nothing of what is everybody's
    has: (network) => networks.take(network, 1) === undefined && everybody.take('', 1) === undefined,

    count(type, network) {
      const isNew = !counted.has(`${type} ${network}`)
      const key = isNew && counted.size >= MOST_SUMMARIES ? type : `${type} ${network}`
      const before = counted.get(key)
      if (before) before.refusals += 1
      else counted.set(key, { type, network: key === type ? undefined : network, refusals: 1 })
      timer ??= outside(() => setTimeout(tell, SUMMARY_MS).unref())
    },

    tell,
  }
}
