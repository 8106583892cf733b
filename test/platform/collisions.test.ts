// PostgreSQL: what collided with others did not happen. A statement on its own is tried again, half of something never.
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import { openNotes, type Notes } from '../support/notes.ts'

describe.each(databases.filter(({ name }) => name === 'postgres'))('collisions on $name', (kind) => {
  let notes: Notes
  let database: Notes['database']
  let add: Notes['add']
  let ids: Notes['ids']

  beforeEach(async () => {
    notes = await openNotes(kind)
    ;({ database, add, ids } = notes)
    await sql`create sequence collisions`.execute(database.db)
  })
  afterEach(() => notes.close())

  /** A sequence counts even what is rolled back. */
  const collideTimes = (times: number) =>
    sql`
      create function collide() returns trigger language plpgsql as $$ begin
        if nextval('collisions') <= ${sql.lit(times)} then raise exception 'collided' using errcode = '40001'; end if;
        return new;
      end $$;
      create trigger colliding before insert on note for each row execute function collide();
    `.execute(database.db)
  test('of a statement on its own are tried again', async () => {
    await collideTimes(3)
    await add(1)
    expect(await ids()).toEqual([1])
  })

  test('of a statement on its own end as 503 after a few tries', async () => {
    await collideTimes(1_000)
    await expect(add(1)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('of a part of a unit or a transaction are never tried again', async () => {
    await collideTimes(1)
    await expect(database.together(() => add(1).then(() => true))).rejects.toMatchObject({ code: 'unavailable' })
    await sql`alter sequence collisions restart`.execute(database.db)
    const transaction = database.db.transaction().execute((transaction) => add(1, transaction))
    await expect(transaction).rejects.toMatchObject({ code: 'unavailable' })
    expect(await ids()).toEqual([])
  })

  test('of more units than there are connections leave none of them waiting for ever', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, id) =>
        database.together(async () => {
          await ids()
          await add(id)
          await ids()
          return true
        }),
      ),
    )
    expect(await ids()).toHaveLength(40)
  })
})
