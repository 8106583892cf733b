const BATCH = 500
const MOST_BATCHES = 200

/**
 * Deletes in batches so small that nobody waits long behind one, until nothing is left or it is the next turn's.
 * @param sweepBatch deletes at most `limit` rows of each table it knows, and tells how many it deleted
 * @returns how many rows were deleted
 */
export async function sweepAll(sweepBatch: (limit: number) => Promise<number>): Promise<number> {
  let swept = 0
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const count = await sweepBatch(BATCH)
    swept += count
    if (count < BATCH) break
  }
  return swept
}
