import { getHeapSpaceStatistics } from 'node:v8'
import { expect, test } from 'vitest'
import { giveBackMemory } from '#platform/memory.ts'

const roomForYoungObjects = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0

test('room that young objects once took is given back, and collections cannot be asked for from outside', () => {
  let kept: object[] = []
  for (let round = 0; round < 20; round += 1) kept = Array.from({ length: 200_000 }, (_, index) => ({ index, round }))
  const before = roomForYoungObjects()
  expect(kept.length).toBeGreaterThan(0)
  kept = []
  giveBackMemory()
  expect(roomForYoungObjects()).toBeLessThan(before / 2)
  expect(globalThis.gc).toBeUndefined()
})
