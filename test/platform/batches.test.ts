// SQLite: the writes of many share one commit, and each is answered after it.
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { CompiledQuery, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openBatch } from '#platform/database/dialects/sqlite-batch.ts'
import { SqliteHandle } from '#platform/database/dialects/sqlite-handle.ts'
import { commitsIn } from '../support/commits.ts'
import { databases } from '../support/databases.ts'
import { openNotes, type Notes } from '../support/notes.ts'

describe.each(databases.filter(({ name }) => name === 'sqlite'))('batches on $name', (kind) => {
  let notes: Notes
  let database: Notes['database']
  let add: Notes['add']
  let ids: Notes['ids']

  beforeEach(async () => {
    notes = await openNotes(kind)
    ;({ database, add, ids } = notes)
  })
  afterEach(() => notes.close())

  test('are one commit for many', async () => {
    const before = commitsIn(notes.url)
    await Promise.all(Array.from({ length: 50 }, (_, id) => add(id)))
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => database.together(() => add(100 + index).then(() => true))),
    )
    expect(await ids()).toHaveLength(100)
    expect(commitsIn(notes.url) - before).toBeLessThan(20)
  })

  test('take their first member in however late it comes, since a batch that nobody leaves would stay open', async () => {
    const writer = new SqliteHandle(new Sqlite(':memory:'))
    writer.begin(false)
    const batch = openBatch(writer)
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000)
    expect(batch.enter()).toBe(true)
    expect(batch.enter()).toBe(false)
    clock.mockRestore()
    expect(await batch.leave()).toBe(true)
    writer.close()
  })

  test('keep no statement of many rows, since each number of rows has one of its own', () => {
    const writer = new SqliteHandle(new Sqlite(':memory:'))
    writer.database.exec('create table numbers (number integer)')
    const prepare = vi.spyOn(writer.database, 'prepare')
    const timesPrepared = (rows: number): number => {
      const compiled = CompiledQuery.raw(
        `insert into numbers values ${Array(rows).fill('(?)').join()}`,
        Array(rows).fill(1),
      )
      const before = prepare.mock.calls.length
      for (let time = 0; time < 3; time += 1) writer.execute(compiled)
      return prepare.mock.calls.length - before
    }
    expect([timesPrepared(1), timesPrepared(200)]).toEqual([1, 3])
    writer.close()
  })

  test('show nobody what is not on disk yet', async () => {
    const wrote = Promise.withResolvers<void>()
    const [end, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    void database
      .together(async () => {
        await add(1)
        wrote.resolve()
        await end.promise
        return true
      })
      .then(ended.resolve)
    await wrote.promise
    expect(await ids()).toEqual([])
    end.resolve()
    await ended.promise
    expect(await ids()).toEqual([1])
  })

  test('that a neighbour makes fail cost other units their answer, and lone writes nothing', async () => {
    const [allIn, failed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const failing = database.together(async () => {
      await add(1)
      await allIn.promise
      return false
    })
    const neighbour = database.together(async () => {
      await add(2)
      await failed.promise
      return true
    })
    const lone = add(3)
    await sleep(0)
    allIn.resolve()
    await failing
    failed.resolve()
    await expect(neighbour).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
    await lone
    expect(await ids()).toEqual([3])
  })

  test('wait only so long for a member that hangs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const wrote = Promise.withResolvers<void>()
      const hanging = Promise.withResolvers<boolean>()
      const late = database.together(async () => {
        await add(1)
        wrote.resolve()
        return hanging.promise
      })
      await wrote.promise
      const lone = add(2)
      await new Promise(setImmediate)
      vi.advanceTimersByTime(5_000)
      await lone
      expect(await ids()).toEqual([2])
      hanging.resolve(true)
      await expect(late).rejects.toMatchObject({ code: 'unavailable' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('that run out of room fail for all of their members, and the next works', async () => {
    await sql`pragma max_page_count = 4`.execute(database.db)
    const big = 'x'.repeat(40_000)
    const tries = Array.from({ length: 6 }, (_, index) =>
      database.together(async () => {
        await add(index, database.db, index === 5 ? big : undefined)
        return true
      }),
    )
    const outcomes = await Promise.allSettled([...tries, add(7)])
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable', retryAfterSeconds: 5 } })
    await sql`pragma max_page_count = 1000`.execute(database.db)
    await add(8)
    expect(await ids()).toEqual([8])
  })
})
