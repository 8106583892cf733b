// What looks again and again, and what deletes batch by batch.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sweepAll } from '#platform/database/sweep.ts'
import { watch } from '#platform/watch.ts'

const unexpected = (error: unknown): never => {
  throw error
}

describe('a watch', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('looks at every turn, but never while a look is under way', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let looks = 0
    const stop = watch(100, () => gates[looks++]?.promise ?? Promise.resolve(), unexpected)
    await vi.advanceTimersByTimeAsync(350)
    expect(looks).toBe(1)
    gates[0]?.resolve()
    await vi.advanceTimersByTimeAsync(100)
    expect(looks).toBe(2)
    gates[1]?.resolve()
    await stop()
  })

  test('tells a failure once, and again after a look that succeeded', async () => {
    const told: unknown[] = []
    const outcomes = ['down', 'down', 'up', 'down']
    const look = async (): Promise<void> => {
      const outcome = outcomes.shift()
      if (outcome === 'down') throw new Error(`${outcomes.length} to come`)
    }
    const stop = watch(100, look, (error) => told.push(error))
    await vi.advanceTimersByTimeAsync(400)
    expect(told).toEqual([new Error('3 to come'), new Error('0 to come')])
    await stop()
  })

  test('is over when it is stopped, after the look under way', async () => {
    const gate = Promise.withResolvers<void>()
    let looks = 0
    const stop = watch(100, () => ((looks += 1), gate.promise), unexpected)
    await vi.advanceTimersByTimeAsync(100)
    let stopped = false
    const stopping = stop().then(() => (stopped = true))
    await vi.advanceTimersByTimeAsync(500)
    expect([looks, stopped]).toEqual([1, false])
    gate.resolve()
    await stopping
    expect(stopped).toBe(true)
  })
})

describe('a sweep', () => {
  test.each([
    [0, 1],
    [499, 1],
    [500, 2],
    [1_234, 3],
  ])('of %i rows ends after %i batches', async (rows, batches) => {
    let left = rows
    let calls = 0
    const swept = await sweepAll(async (limit) => {
      calls += 1
      const count = Math.min(limit, left)
      left -= count
      return count
    })
    expect([swept, calls, left]).toEqual([rows, batches, 0])
  })

  test('leaves the rest to the next turn', async () => {
    let calls = 0
    await sweepAll(async (limit) => ((calls += 1), limit))
    expect(calls).toBe(200)
  })
})
