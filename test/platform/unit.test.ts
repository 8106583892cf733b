// Units: the writes of one answer are stored together, on one connection, or not at all.
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { sqliteFileIn } from '#platform/database/sqlite-url.ts'
import { databases } from '../support/databases.ts'
import { openNotes, type Notes } from '../support/notes.ts'

describe.each(databases)('a unit on $name', (kind) => {
  let notes: Notes
  let database: Notes['database']
  let add: Notes['add']
  let ids: Notes['ids']

  beforeAll(async () => {
    notes = await openNotes(kind)
    ;({ database, add, ids } = notes)
  })
  afterAll(() => notes.close())
  afterEach(async () => void (await database.db.deleteFrom('note').execute()))

  /** What somebody else sees, on a connection of their own. */
  const seen = () => (kind.name === 'sqlite' ? idsInFile : idsOnServer)(notes.url)

  test('is on disk when it resolves, and nothing of it is seen before', async () => {
    await database.together(async () => {
      await Promise.all([add(1), add(2)])
      expect(await ids()).toEqual([1, 2])
      expect(await seen()).toEqual([])
      return true
    })
    expect(await seen()).toEqual([1, 2])
  })

  test('is taken back whole where its work says no, throws, or met an error that nobody told', async () => {
    await database.together(async () => {
      await add(1)
      return false
    })
    const broken = database.together(async () => {
      await add(2)
      throw new Error('broken')
    })
    await expect(broken).rejects.toThrow('broken')
    const nested = database.together(async () => {
      const half = database.db.transaction().execute(async (transaction) => {
        await add(3, transaction)
        throw new Error('half of it')
      })
      await expect(half).rejects.toThrow('half of it')
      return true
    })
    await expect(nested).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
    expect(await ids()).toEqual([])
    await add(4)
    expect(await seen()).toEqual([4])
  })

  test('sees what it put in the place of a row, and stores it where nothing comes after', async () => {
    const note = { id: 1, text: 'put' }
    const put = () =>
      database.db
        .insertInto('note')
        .values(note)
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ text: note.text }))
        .executeTakeFirstOrThrow()
    await database.together(async () => {
      await put()
      await add(2)
      expect(await ids()).toEqual([1, 2])
      return false
    })
    await database.together(async () => {
      await put()
      expect(await ids()).toEqual([1])
      return false
    })
    expect(await seen()).toEqual([])
    await database.together(async () => (await put()).numInsertedOrUpdatedRows === 1n)
    expect(await seen()).toEqual([1])
  })

  test('holds a transaction inside it as a part', async () => {
    await database.together(async () => {
      await database.db.transaction().execute((transaction) => add(1, transaction))
      expect(await seen()).toEqual([])
      await add(2)
      return true
    })
    expect(await seen()).toEqual([1, 2])
  })

  test('refuses another inside it', async () => {
    const inner = database.together(() => database.together(async () => true).then(() => true))
    await expect(inner).rejects.toThrow(/inside a unit/)
  })

  test('goes side by side with sixty others, with lone writes and transactions, and each is whole', async () => {
    const units = Array.from({ length: 60 }, async (_, index) =>
      database.together(async () => {
        await add(10 * index)
        await sleep(Math.random() * 5)
        await add(10 * index + 1)
        return true
      }),
    )
    const lone = Array.from({ length: 20 }, async (_, index) => {
      await add(10 * index + 2)
      expect(await seen()).toContain(10 * index + 2)
    })
    const transactions = Array.from({ length: 5 }, (_, index) =>
      database.db.transaction().execute((transaction) => add(10 * index + 3, transaction)),
    )
    await Promise.all([...units, ...lone, ...transactions])
    expect(await seen()).toHaveLength(2 * 60 + 20 + 5)
  })

  test('stores what it wrote before it waits for something apart, which is on its own', async () => {
    const failing = database.together(async () => {
      await add(1)
      await database.apart(async () => {
        expect(await seen()).toEqual([1])
        await add(2)
        expect(await seen()).toEqual([1, 2])
      })
      await add(3)
      return false
    })
    await failing
    expect(await seen()).toEqual([1, 2])
    expect(await database.apart(ids)).toEqual([1, 2])
  })

  test('calls back once it is stored, and never where it is not', async () => {
    const told = vi.fn<(what: string) => void>()
    database.whenStored(() => told('outside'))
    expect(told).toHaveBeenLastCalledWith('outside')
    await database.together(async () => {
      await add(1)
      database.whenStored(() => told('inside'))
      expect(told).not.toHaveBeenCalledWith('inside')
      return true
    })
    expect(told).toHaveBeenLastCalledWith('inside')
    await database.together(async () => {
      database.whenStored(() => told('never'))
      return false
    })
    expect(told).not.toHaveBeenCalledWith('never')
  })

  test('is not what gathers writes: they are stored together where writers take turns, and whatever comes later', async () => {
    const { writersTakeTurns } = database.kind
    const told = vi.fn<() => void>()
    const failing = database.gathered(async () => {
      await add(1)
      await database.gathered(() => add(2))
      expect(await ids()).toEqual([1, 2])
      expect(await seen()).toEqual(writersTakeTurns ? [] : [1, 2])
      database.whenStored(told)
      throw new Error('later')
    })
    await expect(failing).rejects.toThrow('later')
    expect(await seen()).toEqual([1, 2])
    expect(told).toHaveBeenCalledOnce()
  })

  test('that gathers what took a transaction back fails for the reason of that', async () => {
    const bug = new Error('half of it')
    const failing = database.gathered(async () => {
      await add(1)
      await database.db.transaction().execute(async (transaction) => {
        await add(2, transaction)
        throw bug
      })
    })
    const { writersTakeTurns } = database.kind
    await expect(failing).rejects.toMatchObject(writersTakeTurns ? { code: 'unavailable', cause: bug } : bug)
    expect(await seen()).toEqual(writersTakeTurns ? [] : [1])
  })

  test.runIf(kind.name === 'sqlite')('that gathers makes others wait for no more than a moment', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const wrote = Promise.withResolvers<void>()
      const neighbour = wrote.promise.then(() => add(2))
      await database.gathered(async () => {
        await add(1)
        wrote.resolve()
        vi.advanceTimersByTime(100)
        expect(await ids()).toEqual([1, 2])
        await neighbour
        expect(await seen()).toEqual([1, 2])
        await database.db.transaction().execute(async (transaction) => {
          await add(3, transaction)
          vi.advanceTimersByTime(100)
          await add(4, transaction)
          expect(await seen()).toEqual([1, 2])
        })
        vi.advanceTimersByTime(100)
        await add(5)
      })
      expect(await seen()).toEqual([1, 2, 3, 4, 5])
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test.runIf(kind.name === 'sqlite')(
    'that gathers tells in the end that a neighbour took it back meanwhile',
    async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      try {
        const gathered = Promise.withResolvers<void>()
        const failing = database.together(async () => {
          await add(1)
          await gathered.promise
          return false
        })
        const gathering = database.gathered(async () => {
          await add(2)
          vi.advanceTimersByTime(100)
          gathered.resolve()
          await failing
          await add(3)
        })
        await expect(gathering).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
      } finally {
        vi.useRealTimers()
      }
    },
  )

  test('has nothing to do with what was begun in it and comes late', async () => {
    const late = Promise.withResolvers<void>()
    await database.together(async () => {
      setTimeout(() => void add(2).then(() => late.resolve(), late.reject), 30)
      await add(1)
      return false
    })
    await late.promise
    expect(await seen()).toEqual([2])
  })
})

async function idsInFile(url: string): Promise<number[]> {
  const file = new DatabaseSync(sqliteFileIn(url) ?? '', { readOnly: true })
  try {
    return file
      .prepare('select id from note order by id')
      .all()
      .map(({ id }) => Number(id))
  } finally {
    file.close()
  }
}

async function idsOnServer(url: string): Promise<number[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ id: string }>('select id from note order by id')
    return rows.map(({ id }) => Number(id))
  } finally {
    await client.end()
  }
}
