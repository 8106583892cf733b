// The databases that every store and adapter suite runs on:
//
// `describe.each(databases)('the attempt store on $name', ({ create }) => …)`, with `await create()` in beforeAll and
// `drop()` of what it gave in afterAll.
//
// Where no PostgreSQL can be had its row is missing and one skipped test stands in for it in each file.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inject, test } from 'vitest'
import { asAdministrator, type PostgresOfThisRun } from './postgres-administrator.ts'

export interface TestDatabase {
  /** What DATABASE_URL would be: an empty database that nobody else uses. */
  url: string
  /** Removes the database, closing whatever connections are left; the caller closes its own first. */
  drop: () => Promise<void>
}

export interface DatabaseKind {
  name: 'sqlite' | 'postgres'
  create: () => Promise<TestDatabase>
}

const postgres = inject('postgres')

/** The table for describe.each: SQLite, and PostgreSQL where this run has one. */
export const databases: DatabaseKind[] = [{ name: 'sqlite', create: createSqlite }]
if (postgres) databases.push({ name: 'postgres', create: () => createPostgres(postgres) })
else test.skip('runs on PostgreSQL too', () => {})

async function createSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-sqlite-'))
  return {
    url: `sqlite:${path.join(folder, 'latchkey.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function createPostgres({ url, prefix }: PostgresOfThisRun): Promise<TestDatabase> {
  const name = `${prefix}${randomBytes(6).toString('hex')}`
  await asAdministrator(url, (client) => client.query(`create database "${name}" template template0`))
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    url: own.href,
    drop: () => asAdministrator(url, (client) => client.query(`drop database if exists "${name}" with (force)`)),
  }
}
