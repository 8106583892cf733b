// What the dialects promise beyond Kysely: transactions are kept apart, and errors are told apart.
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { kindOf } from '#platform/database/dialects/index.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

interface Tables {
  note: { id: number; text: string | null }
}

describe.each(databases)('a database on $name', ({ create, name }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>

  beforeEach(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    await sql`create table note (id bigint primary key, text text)`.execute(database.db)
  })
  afterEach(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const ids = async () =>
    (await database.db.selectFrom('note').select('id').orderBy('id').execute()).map(({ id }) => id)
  const add = (id: number) => database.db.insertInto('note').values({ id, text: null }).execute()

  test('a write beside a transaction that is rolled back stays', async () => {
    const begun = Promise.withResolvers<void>()
    const rolledBack = database.db.transaction().execute(async (transaction) => {
      await transaction.insertInto('note').values({ id: 1, text: null }).execute()
      begun.resolve()
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw new Error('rolled back')
    })
    const outcome = rolledBack.catch((error: unknown) => error)
    await begun.promise
    const beside = add(2)
    expect(await outcome).toMatchObject({ message: 'rolled back' })
    await beside
    expect(await ids()).toEqual([2])
  })

  test('twenty transactions at once happen one by one or side by side, and all of them whole', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        database.db.transaction().execute(async (transaction) => {
          await transaction
            .insertInto('note')
            .values({ id: 2 * index, text: null })
            .execute()
          await transaction
            .insertInto('note')
            .values({ id: 2 * index + 1, text: null })
            .execute()
        }),
      ),
    )
    expect(await ids()).toHaveLength(40)
  })

  test('a transaction that fails in a statement ends, and the next one goes on', async () => {
    await add(1)
    const clashing = database.db
      .transaction()
      .execute((transaction) => transaction.insertInto('note').values({ id: 1, text: null }).execute())
    await expect(clashing).rejects.toThrow(/unique/i)
    await database.db
      .transaction()
      .execute((transaction) => transaction.insertInto('note').values({ id: 2, text: null }).execute())
    expect(await ids()).toEqual([1, 2])
  })

  test('a unique violation is told from every other error, and neither is transient nor an outage', async () => {
    await add(1)
    const clash: unknown = await add(1).catch((error: unknown) => error)
    const mistake: unknown = await sql`select nothing from nowhere`
      .execute(database.db)
      .catch((error: unknown) => error)
    expect([database.kind.isUniqueViolation(clash), database.kind.isUniqueViolation(mistake)]).toEqual([true, false])
    expect(database.kind.isTransient(mistake)).toBe(false)
    for (const error of [clash, mistake]) expect(error).not.toBeInstanceOf(AppError)
  })

  test('times come back as numbers', async () => {
    await add(9_007_199_254_740_991)
    expect(await ids()).toEqual([9_007_199_254_740_991])
  })

  test.runIf(name === 'sqlite')('what takes long may sort in a file, and nothing else does', async () => {
    const isInFile = async (): Promise<boolean> => {
      const { rows } = await sql<{ temp_store: number }>`pragma temp_store`.execute(database.db)
      return rows[0]?.temp_store === 1
    }
    const failing = database.unhurried(async () => {
      throw new Error((await isInFile()) ? 'in a file' : 'in memory')
    })
    await expect(failing).rejects.toThrow('in a file')
    expect(await isInFile()).toBe(false)
  })

  test('a closed database answers no more', async () => {
    const other = openDatabase<Tables>(testDatabase.url, () => {})
    await other.db.selectFrom('note').selectAll().execute()
    await other.close()
    await expect(other.db.selectFrom('note').selectAll().execute()).rejects.toThrow(/destroyed/)
  })

  test('is chosen by the first part of its URL', () => {
    expect(kindOf(testDatabase.url).name).toBe(name)
  })
})

test.each(['', 'mysql://localhost/x', 'latchkey.db', 'http://localhost'])(
  'refuses the URL %j and names those it knows',
  (url) => {
    expect(() => kindOf(url)).toThrow(
      expect.objectContaining({ code: 'configuration', hint: expect.stringMatching(/sqlite:.*postgres:/) }),
    )
  },
)

test('a refused URL is not repeated, since it may hold a password', () => {
  expect(() => kindOf('mysql://root:canary@localhost')).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('canary') }),
  )
})
