// What machines ask: does the process live, can it serve.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from 'kysely'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { send } from '../support/protocol.ts'

describe.each(databases)('health on $name', (database) => {
  let app: TestApp

  beforeAll(async () => {
    app = await startApp(database)
  })
  afterAll(() => app.close())

  test('says ok, uncached, and nothing about the inside', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await send(app.issuer + path)
      expect([answer.status, answer.json]).toEqual([200, { status: 'ok' }])
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect((await send(app.issuer + path, { method: 'HEAD' })).status).toBe(200)
    }
  })

  test('is not ready while the schema is one that this code cannot run on, and lives on', async () => {
    const { db } = app.services.database
    await sql`alter table artifacts rename to artifacts_away`.execute(db)
    await sql`alter table kysely_migration rename to kysely_migration_away`.execute(db)
    try {
      const answer = await send(`${app.issuer}/readyz`)
      expect(answer.status).toBe(503)
      expect(answer.json).toMatchObject({ status: 'unavailable', reason: expect.any(String) })
      expect(answer.body).not.toMatch(/select|kysely_|\.ts|sqlite:|postgres:\/\//i)
      expect((await send(`${app.issuer}/healthz`)).status).toBe(200)
    } finally {
      await sql`drop table if exists kysely_migration`.execute(db)
      await sql`alter table kysely_migration_away rename to kysely_migration`.execute(db)
      await sql`alter table artifacts_away rename to artifacts`.execute(db)
    }
    expect((await send(`${app.issuer}/readyz`)).status).toBe(200)
  })

  test('gives every answer the id under which the log has it', async () => {
    const ids = await Promise.all(
      ['/healthz', '/nowhere', '/token'].map(async (path) =>
        (await send(app.issuer + path)).headers.get('x-request-id'),
      ),
    )
    for (const id of ids) expect(id).toMatch(/^[0-9a-z]{12}$/)
    expect(new Set(ids).size).toBe(3)
  })
})
