import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXPIRY_GRACE_SECONDS } from '#core/artifacts/store.ts'
import { expiry } from '#features/expiry/index.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'

/** Later than the rows that a test lets expire, and earlier than all others. */
const LONG_AGO = 1_000

describe.each(databases)('expiry on $name', (kind) => {
  let app: TestApp

  beforeAll(async () => {
    app = await startApp(kind)
  })
  afterAll(() => app.close())

  const count = async (): Promise<number> =>
    (await app.services.database.db.selectFrom('artifacts').select('id').execute()).length
  const fill = async (name: string, rows: number, expiresAt: number | null): Promise<void> => {
    const row = {
      model: 'AccessToken',
      payload: '{}',
      grant_id: null,
      account_id: null,
      client_id: null,
      session_uid: null,
      user_code: null,
      expires_at: expiresAt,
      consumed_at: null,
    }
    const values = Array.from({ length: rows }, (_, index) => ({ ...row, id: `${name}-${index}` }))
    await app.services.database.db.insertInto('artifacts').values(values).execute()
  }

  test('takes away what expired more than the grace ago, never more than the batch, and nothing else', async () => {
    const now = app.services.clock.now()
    await fill('gone', 25, now - EXPIRY_GRACE_SECONDS)
    await fill('in-grace', 3, now - EXPIRY_GRACE_SECONDS + 1)
    await fill('live', 3, now + 60)
    await fill('for-ever', 3, null)
    const { artifacts } = app.services
    expect(await artifacts.sweep(now, 10)).toBe(10)
    expect(await count()).toBe(24)
    expect([await artifacts.sweep(now, 10), await artifacts.sweep(now, 10), await artifacts.sweep(now, 10)]).toEqual([
      10, 5, 0,
    ])
    expect(await count()).toBe(9)
  })

  test('the job goes on in batches until nothing is left', async () => {
    await fill('many-a', 700, 1)
    await fill('many-b', 700, 1)
    const jobs = expiry.jobs?.(app.services) ?? []
    expect(jobs.map(({ name }) => name)).toEqual(['expiry'])
    for (const job of jobs) await job.run()
    const rows = await app.services.database.db.selectFrom('artifacts').select('id').execute()
    expect(rows.map(({ id }) => id.replace(/-\d+$/, ''))).toEqual(expect.arrayContaining(['live', 'for-ever']))
    expect(rows.filter(({ id }) => id.startsWith('many'))).toEqual([])
  })

  test('two sweepers at once take away each row once', async () => {
    await fill('race', 400, 1)
    const { artifacts } = app.services
    const swept = await Promise.all(Array.from({ length: 8 }, () => artifacts.sweep(LONG_AGO, 100)))
    let total = swept.reduce((sum, part) => sum + part, 0)
    for (let more = 1; more > 0; total += more) more = await artifacts.sweep(LONG_AGO, 100)
    expect(total).toBe(400)
  })
})
