// Empty databases that nobody else uses.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { asAdministrator, type PostgresOfThisRun } from './postgres-administrator.ts'

export interface TestDatabase {
  /** What DATABASE_URL would be: an empty database that nobody else uses. */
  url: string
  /** Removes the database, closing whatever connections are left; the caller closes its own first. */
  drop: () => Promise<void>
}

export async function createSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-sqlite-'))
  return {
    url: `sqlite:${path.join(folder, 'latchkey.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

export async function createPostgres({ url, prefix }: PostgresOfThisRun): Promise<TestDatabase> {
  const name = `${prefix}${randomBytes(6).toString('hex')}`
  await asAdministrator(url, (client) => client.query(`create database "${name}" template template0`))
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    url: own.href,
    drop: () => asAdministrator(url, (client) => client.query(`drop database if exists "${name}" with (force)`)),
  }
}
