// What the database itself shows after a recovery.
import { sql } from 'kysely'
import type { World } from './world.ts'

/** What is wrong with the file, the transactions or the pairs of tokens. */
export async function inspect({ database, app, client }: World): Promise<string[]> {
  const found =
    database === 'sqlite'
      ? await brokenFile(app.services.database.db)
      : await forgottenTransactions(app.services.database.db)
  return [...found, ...(await halfPairs(app.services.database.db, client.client.id))]
}

type Db = World['app']['services']['database']['db']

async function brokenFile(db: Db): Promise<string[]> {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db)
  return rows.flatMap(({ integrity_check: line }) => (line === 'ok' ? [] : [`integrity_check: ${line}`]))
}

async function forgottenTransactions(db: Db): Promise<string[]> {
  const { rows } = await sql<{ query: string }>`select query from pg_stat_activity where datname = current_database()
    and state = 'idle in transaction' and xact_start < now() - interval '10 seconds'`.execute(db)
  return rows.map(({ query }) => `a transaction idles: ${query}`)
}

/**
 * A code that is used up has given both tokens or none: the client here gets a refresh token always. (The row of a code
 * goes with its grant, so what was ended on purpose is not seen.)
 */
async function halfPairs(db: Db, clientId: string): Promise<string[]> {
  const { rows } = await sql<{ grant_id: string; models: string }>`select code.grant_id, (
      select count(distinct model) from artifacts as token
      where token.grant_id = code.grant_id and token.model in ('AccessToken', 'RefreshToken')) as models
    from artifacts as code
    where code.model = 'AuthorizationCode' and code.client_id = ${clientId} and code.consumed_at is not null`.execute(
    db,
  )
  const half = rows.filter(({ models }) => Number(models) !== 2)
  return half.map(({ models }) => `a code that is used up has ${models} of its 2 tokens`)
}
