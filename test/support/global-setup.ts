// Runs once per run of the suite, before any test file: one PostgreSQL for all of them, and a line for whatever is
// missing on this machine and therefore skipped.
import { randomBytes } from 'node:crypto'
import type { TestProject } from 'vitest/node'
import { chromiumPath } from './browser.ts'
import { asAdministrator } from './postgres-administrator.ts'
import { startPostgres, type PostgresServer } from './postgres-server.ts'

/** Vitest calls this before the suite and the function it returns after it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!chromiumPath) {
    console.log('Browser tests are skipped: no Chromium found; install it or set CHROMIUM_PATH to its executable.')
  }
  const server = await postgresServer()
  if (!server) {
    project.provide('postgres', undefined)
    return async () => {}
  }
  const prefix = `test_${randomBytes(4).toString('hex')}_`
  project.provide('postgres', { url: server.url, prefix })
  return async () => {
    await dropLeftovers(server.url, prefix)
    await server.stop()
  }
}

/** TEST_POSTGRES_URL is a wish: where it cannot be reached the run fails, instead of quietly using another. */
async function postgresServer(): Promise<Pick<PostgresServer, 'url' | 'stop'> | undefined> {
  const url = process.env['TEST_POSTGRES_URL']
  if (url) {
    await asAdministrator(url, (client) => client.query('select 1')).catch((cause: unknown) => {
      throw new Error('TEST_POSTGRES_URL does not answer; start that server or unset it', { cause })
    })
    return { url, stop: async () => {} }
  }
  try {
    return await startPostgres()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    console.log(`PostgreSQL tests are skipped: ${reason.trim()}; set TEST_POSTGRES_URL to use a server of yours.`)
    return undefined
  }
}

async function dropLeftovers(url: string, prefix: string): Promise<void> {
  await asAdministrator(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [prefix],
    )
    for (const { datname } of rows) await client.query(`drop database if exists "${datname}" with (force)`)
  })
}
