import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { databases } from './databases.ts'

/** Runs one statement over the plain driver and gives back its rows. */
async function query(url: string, sql: string): Promise<unknown[]> {
  if (url.startsWith('sqlite:')) {
    const database = new DatabaseSync(url.slice('sqlite:'.length))
    try {
      return database
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }))
    } finally {
      database.close()
    }
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

describe.each(databases)('a test database on $name', ({ create }) => {
  test('keeps what is written and shares nothing with the next one', async () => {
    const [one, other] = await Promise.all([create(), create()])
    try {
      await query(one.url, 'create table note (text text)')
      await query(one.url, "insert into note values ('kept')")
      expect(await query(one.url, 'select text from note')).toEqual([{ text: 'kept' }])
      await expect(query(other.url, 'select text from note')).rejects.toThrow(/note/)
    } finally {
      await one.drop()
      await other.drop()
    }
  })

  test('is gone once dropped', async () => {
    const database = await create()
    await query(database.url, 'create table note (text text)')
    await database.drop()
    await expect(query(database.url, 'select text from note')).rejects.toThrow(/unable to open|does not exist/)
  })
})

test.runIf(inject('postgres'))('the PostgreSQL of a run takes two hundred connections', async () => {
  const url = inject('postgres')?.url ?? ''
  const [row] = await query(url, "select current_setting('max_connections')::int as connections")
  expect(row).toEqual({ connections: expect.toSatisfy((n: number) => n >= 200) })
})
