import { describe, expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import { migrateUnderLoad } from '../torture/migrations.ts'

/** `npm run torture:migrations` does it with a million people, and tells how long a write waits. */
const PEOPLE = 2_000

describe.each(databases)('F29 a migration on $name', ({ create }) => {
  test('of a database that is written to loses nothing', async () => {
    const database = await create()
    try {
      const { before, after, acknowledged, kept, migrations } = await migrateUnderLoad(database.url, PEOPLE)
      expect(migrations).toBeGreaterThan(10)
      expect(after).toEqual(before)
      expect(before[0]).toMatch(/^accounts 2000 /)
      expect(acknowledged).toBeGreaterThan(0)
      expect(kept).toBe(acknowledged)
    } finally {
      await database.drop()
    }
  })
})
