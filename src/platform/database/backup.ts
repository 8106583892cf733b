/**
 * A backup is one SQLite file, whatever the database: a copy made while servers go on writing, which leaves behind what
 * must never come back. It is made in a folder beside the file and is there whole or not at all.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { sql } from 'kysely'
import { AppError } from '#platform/errors.ts'
import { copyDatabase, type Copying, type CopyTables, type RowCounts } from './copy.ts'
import { openDatabase } from './open.ts'
import { sqliteFileIn, sqliteUrl } from './sqlite-url.ts'

export interface Backup extends Omit<Copying, 'target'> {
  readonly sourceUrl: string
  /** An absolute path. */
  readonly file: string
  /** Whether a file that is there gives way. */
  readonly replace: boolean
}

/**
 * Writes the backup for its owner alone (0600), and onto the disk before it returns.
 * @throws AppError(conflict) where the file is there already or the schema is another release's; AppError(configuration)
 * where it cannot be written
 */
export async function backUp({ sourceUrl, file, replace, ...copying }: Backup): Promise<RowCounts> {
  mustNotBeTheDatabase(sourceUrl, file)
  if (!replace) mustBeFree(file)
  const folder = draftFolder(file)
  const draft = join(folder, 'backup.db')
  try {
    const rows = await fill(draft, copying)
    publish(draft, file, replace)
    return rows
  } catch (error) {
    throw isFault(error) ? notMade(file, error) : error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Closing it takes its log into the file, so that the file is all there is. */
async function fill(draft: string, copying: Omit<Copying, 'target'>): Promise<RowCounts> {
  const target = openDatabase<CopyTables>(sqliteUrl(draft), () => {})
  try {
    // what is half done is thrown away; the whole file goes onto the disk once, before it gets its name
    await sql`pragma synchronous = off`.execute(target.db)
    const rows = await copyDatabase({ ...copying, target })
    const { rows: verdict } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(target.db)
    if (verdict[0]?.integrity_check !== 'ok')
      throw new AppError('unavailable', `SQLite finds it damaged (${verdict[0]?.integrity_check}).`)
    return rows
  } finally {
    await target.close()
  }
}

function mustNotBeTheDatabase(sourceUrl: string, file: string): void {
  const source = sqliteFileIn(sourceUrl)
  if (source === undefined || !existsSync(file) || realpathSync(source) !== realpathSync(file)) return
  throw new AppError('conflict', `${file} is the database itself.`, { hint: 'Name another file.' })
}

function mustBeFree(file: string): void {
  if (!existsSync(file)) return
  throw new AppError('conflict', `${file} is there already.`, { hint: 'Name another file, or add --replace.' })
}

function draftFolder(file: string): string {
  try {
    return mkdtempSync(`${file}.`)
  } catch (cause) {
    throw notMade(file, cause)
  }
}

/** A link never takes the place of a file that came up meanwhile; a rename does, in one step. */
function publish(draft: string, file: string, replace: boolean): void {
  ontoDisk(draft)
  if (replace) renameSync(draft, file)
  else linkSync(draft, file)
  ontoDisk(dirname(file))
}

function ontoDisk(path: string): void {
  const opened = openSync(path, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

/** What a disk or a database said, in its own words; the other refusals are in ours. */
function isFault(error: unknown): boolean {
  return error instanceof AppError ? error.code === 'unavailable' : error instanceof Error && 'code' in error
}

function notMade(file: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AppError('configuration', `The backup ${file} was not made: ${reason}`, {
    hint: 'Its folder has to be there, with room on the disk, and this user has to be able to write to it.',
    cause,
  })
}
