// A database that has been in use for years: people, and refresh tokens of theirs, made by one statement a table.
import { sql } from 'kysely'
import type { Tables } from '#core/tables.ts'
import type { Database } from '#platform/database/open.ts'

/** Half of the rows are people, half are refresh tokens that live for another month. */
export async function fillWithRows(database: Database<Tables>, rows: number): Promise<void> {
  const half = Math.floor(rows / 2)
  if (half === 0) return
  const now = Math.floor(Date.now() / 1_000)
  const numbers = sql`with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${sql.lit(half)})`
  await database.unhurried(async (db) => {
    await sql`insert into accounts (id, email, email_key, email_verified, name, claims, custom_claims, admin, created_at, updated_at)
      ${numbers} select 'person-' || n, 'p' || n || '@example.com', 'p' || n || '@example.com', 1, 'Person ' || n, '{}', '{}', 0,
      ${sql.lit(now)}, ${sql.lit(now)} from numbers`.execute(db)
    await sql`insert into artifacts (id, model, payload, grant_id, account_id, expires_at)
      ${numbers} select 'row-' || n, 'RefreshToken', '{"kind":"RefreshToken"}', 'grant-' || n, 'person-' || n,
      ${sql.lit(now + 2_592_000)} from numbers`.execute(db)
  })
}
