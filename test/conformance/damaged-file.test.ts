// A database file that is not whole, or not ours: the start says so in one line with the file's name and a remedy, and
// leaves the file as it is.
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '#app/config.ts'
import { openServices } from '#app/services.ts'
import { openDatabase } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import { createClient, createPerson } from '../support/app.ts'

/** DAMAGE_ROUNDS=500 is the full count. */
const ROUNDS = Number(process.env['DAMAGE_ROUNDS'] ?? 25)
const MASTER_KEY = randomBytes(32).toString('base64url')

let folder: string
let whole: string
let file: string

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-damage-'))
  whole = path.join(folder, 'whole.db')
  file = path.join(folder, 'latchkey.db')
  const { services, close } = await start(whole)
  await createPerson(services)
  await createClient(services)
  await close()
})
beforeEach(() => {
  for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  copyFileSync(whole, file)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const start = (at: string) =>
  openServices(loadConfig({ DATABASE_URL: `sqlite:${at}`, MASTER_KEY, LOG_LEVEL: 'silent' }))

test.each([
  ['cut in half', () => truncateSync(file, readFileSync(file).length / 2)],
  ['cut after its first page', () => truncateSync(file, 4_096)],
  ['with noise for a schema', () => overwrite(100, Buffer.alloc(3_000, 0xff))],
  ['without a header', () => overwrite(0, Buffer.alloc(100, 0xff))],
  ['that is a text', () => writeFileSync(file, 'These are notes, and long enough to be no database at all.')],
])('F10 refuses a file %s', async (_case, damage) => {
  damage()
  const before = readFileSync(file)
  await expect(start(file)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining(file),
    hint: expect.stringMatching(/restore the newest backup|DATABASE_URL/),
  })
  expect(readFileSync(file).equals(before)).toBe(true)
})

test("F10 refuses another program's database and adds nothing to it", async () => {
  rmSync(file)
  const other = openDatabase<unknown>(`sqlite:${file}`, () => {})
  await sql`create table todo (id text)`.execute(other.db)
  await expect(start(file)).rejects.toMatchObject({
    code: 'configuration',
    message: "The database is not Latchkey's: it holds a table todo.",
    hint: expect.stringContaining('empty database'),
  })
  expect((await other.db.introspection.getTables()).map(({ name }) => name)).toEqual(['todo'])
  await other.close()
})

test(
  'F10 one byte changed anywhere is served or refused in words, never met with a crash',
  async () => {
    const size = readFileSync(whole).length
    for (let round = 0; round < ROUNDS; round += 1) {
      const at = (round * 7_919 * 101) % size
      copyFileSync(whole, file)
      overwrite(at, Buffer.from([(readFileSync(whole)[at] ?? 0) ^ 0x55]))
      const error: unknown = await start(file).then(
        ({ close }) => close(),
        (reason: unknown) => reason,
      )
      expect(error === undefined || error instanceof AppError, `byte ${at}: ${String(error)}`).toBe(true)
    }
  },
  20_000 + ROUNDS * 500,
)

function overwrite(at: number, bytes: Buffer): void {
  const content = readFileSync(file)
  bytes.copy(content, at)
  writeFileSync(file, content)
}
