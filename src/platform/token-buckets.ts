/** Buckets that fill at a steady pace and are emptied by those who use them; one for each name, in this process only. */
export interface TokenBuckets {
  /** Takes so much out of the bucket; where it holds less, nothing, and tells in how many seconds it will hold it. */
  take(name: string, amount: number): number | undefined
  /** What was not used after all. */
  giveBack(name: string, amount: number): void
}

interface Bucket {
  held: number
  at: number
}

/** Beyond so many buckets those are thrown away that are full again, or else those that were touched first. */
const MOST_BUCKETS = 10_000

/**
 * @param size what a bucket holds, from the start @param perSecond what flows in
 * @param now seconds of a clock that is never set
 */
export function tokenBuckets(
  size: number,
  perSecond: number,
  now: () => number = () => performance.now() / 1_000,
): TokenBuckets {
  const buckets = new Map<string, Bucket>()
  const heldNow = ({ held, at }: Bucket, time: number): number => Math.min(size, held + (time - at) * perSecond)

  const makeRoom = (time: number): void => {
    if (buckets.size < MOST_BUCKETS) return
    for (const [name, bucket] of buckets) if (heldNow(bucket, time) === size) buckets.delete(name)
    const [first] = buckets.keys()
    if (buckets.size >= MOST_BUCKETS && first !== undefined) buckets.delete(first)
  }

  return {
    take(name, amount) {
      const time = now()
      const bucket = buckets.get(name)
      const held = bucket === undefined ? size : heldNow(bucket, time)
      if (held < amount) return Math.ceil((amount - held) / perSecond)
      if (bucket === undefined) makeRoom(time)
      buckets.set(name, { held: held - amount, at: time })
      return undefined
    },

    giveBack(name, amount) {
      const bucket = buckets.get(name)
      if (bucket) bucket.held += amount
    },
  }
}
