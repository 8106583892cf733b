// What test files and the run's set-up both know of the run's PostgreSQL: where it is, and how to command it.
import pg from 'pg'

/** Where test files make their databases: the administrator's URL and the prefix of this run's database names. */
export interface PostgresOfThisRun {
  url: string
  prefix: string
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: PostgresOfThisRun | undefined
  }
}

/** Runs `work` on one connection of the administrator and closes it. */
export async function asAdministrator(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
