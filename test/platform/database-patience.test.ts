// F13 F14 F15: a request waits for the database so long and no longer, whatever it is that takes its time: many slow
// statements, a connection that never answers, or a pool that others use up. Patience is short here; a request has five
// seconds.
import { sql, type Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withPatience } from '#platform/database/patience.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { behindLine, type DatabaseLine } from '../support/database-line.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const POOL = 10
const SHORT_MS = 300
const UNAVAILABLE = { name: 'AppError', code: 'unavailable', retryAfterSeconds: 2 }

const pause = (db: Kysely<unknown>, seconds: number) => sql`select pg_sleep(${seconds})`.execute(db)
const look = (db: Kysely<unknown>) => sql`select 1`.execute(db)

describe.each(databases.filter(({ name }) => name === 'postgres'))('a request on $name', (kind) => {
  let real: TestDatabase
  let line: DatabaseLine
  let database: Database<unknown>

  beforeAll(async () => {
    const behind = await behindLine(await kind.create())
    real = behind.database
    line = behind.line
    database = openDatabase(real.url, () => {})
  })
  afterAll(async () => {
    await database.close()
    await real.drop()
  })

  const allWorks = () => Promise.all(Array.from({ length: 2 * POOL }, () => look(database.db)))

  test('ends at a statement that takes longer than it has, and the statements after it are not sent', async () => {
    const { db } = database
    await sql`create table seen (name text)`.execute(db)
    const request = withPatience(SHORT_MS, async () => {
      await pause(db, 60).catch(() => undefined)
      await sql`insert into seen values ('late')`.execute(db)
    })
    await expect(request).rejects.toMatchObject(UNAVAILABLE)
    expect((await sql`select name from seen`.execute(db)).rows).toEqual([])
  })

  test('F13 ends when many statements, none of them too slow, have used its time up', async () => {
    await allWorks()
    line.slow(40)
    let statements = 0
    const request = withPatience(SHORT_MS, async () => {
      for (; statements < 100; statements += 1) await look(database.db)
    })
    await expect(request).rejects.toMatchObject(UNAVAILABLE)
    line.heal()
    expect(statements).toBeGreaterThan(0)
    expect(statements).toBeLessThan(10)
    await allWorks()
  })

  test('F14 gives a connection up that never answers, and nobody is given it again', async () => {
    await allWorks()
    line.swallow()
    const requests = await Promise.allSettled(
      Array.from({ length: 3 * POOL }, () => withPatience(SHORT_MS, () => look(database.db))),
    )
    line.heal()
    expect(requests.map((request) => request.status === 'rejected' && request.reason)).toEqual(
      requests.map(() => expect.objectContaining(UNAVAILABLE)),
    )
    await allWorks()
  })

  test('F15 waits for a connection in use no longer than it has time, and the pool is whole afterwards', async () => {
    const { db } = database
    const free = Promise.withResolvers<void>()
    const held = Array.from({ length: POOL }, () =>
      db.transaction().execute(async (transaction) => {
        await look(transaction)
        await free.promise
      }),
    )
    const requests = await Promise.allSettled(Array.from({ length: 100 }, () => withPatience(SHORT_MS, () => look(db))))
    expect(requests.filter(({ status }) => status === 'fulfilled')).toEqual([])
    free.resolve()
    await Promise.all(held)
    await allWorks()
  })

  test('leaves what it began and did not wait for all the time it needs', async () => {
    let after: Promise<unknown> | undefined
    await withPatience(SHORT_MS, async () => void (after = Promise.resolve().then(() => pause(database.db, 0.4))))
    await expect(after).resolves.toBeDefined()
  })

  test('F16 is told that the database is unavailable where it is a standby that takes no writes', async () => {
    const url = new URL(real.url)
    url.searchParams.set('options', '-c default_transaction_read_only=on')
    const standby = openDatabase<unknown>(url.href, () => {})
    await expect(look(standby.db)).resolves.toBeDefined()
    await expect(sql`create table written (name text)`.execute(standby.db)).rejects.toMatchObject(UNAVAILABLE)
    await standby.close()
  })
})
