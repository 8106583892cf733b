// The databases that every store and adapter suite runs on:
//
// `describe.each(databases)('the attempt store on $name', ({ create }) => …)`, with `await create()` in beforeAll and
// `drop()` of what it gave in afterAll.
//
// Where no PostgreSQL can be had its row is missing and one skipped test stands in for it in each file.
import { inject, test } from 'vitest'
import { createPostgres, createSqlite, type TestDatabase } from './fresh-databases.ts'

export type { TestDatabase } from './fresh-databases.ts'

export interface DatabaseKind {
  name: 'sqlite' | 'postgres'
  create: () => Promise<TestDatabase>
}

const postgres = inject('postgres')

/** The table for describe.each: SQLite, and PostgreSQL where this run has one. */
export const databases: DatabaseKind[] = [{ name: 'sqlite', create: createSqlite }]
if (postgres) databases.push({ name: 'postgres', create: () => createPostgres(postgres) })
else test.skip('runs on PostgreSQL too', () => {})
