import { describe, expect, test } from 'vitest'
import { tokenBuckets } from '#platform/token-buckets.ts'

describe('buckets that fill at a steady pace', () => {
  const opened = () => {
    const clock = { seconds: 100 }
    return { clock, buckets: tokenBuckets(10, 2, () => clock.seconds) }
  }

  test('hold what they hold from the start, each name its own', () => {
    const { buckets } = opened()
    expect(buckets.take('one', 10)).toBeUndefined()
    expect(buckets.take('one', 1)).toBe(1)
    expect(buckets.take('other', 10)).toBeUndefined()
  })

  test('tell when there will be enough, and keep that', () => {
    const { buckets, clock } = opened()
    buckets.take('one', 9)
    expect(buckets.take('one', 8)).toBe(4)
    clock.seconds += 4
    expect(buckets.take('one', 8)).toBeUndefined()
  })

  test('never hold more than fits, however long nobody comes or however much is given back', () => {
    const { buckets, clock } = opened()
    buckets.take('one', 1)
    buckets.giveBack('one', 50)
    clock.seconds += 1_000
    expect(buckets.take('one', 11)).toBe(1)
    expect(buckets.take('one', 10)).toBeUndefined()
  })

  test('do not grow with the number of names', () => {
    const { buckets } = opened()
    buckets.take('first', 10)
    for (let name = 0; name < 10_000; name += 1) buckets.take(String(name), 10)
    expect(buckets.take('first', 10)).toBeUndefined()
  })
})
