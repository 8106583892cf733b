// How often an SQLite file was committed to, as its write-ahead log tells (https://sqlite.org/fileformat2.html#walformat):
// the last frame of each commit says how big the database is then, all others say 0.
import { readFileSync } from 'node:fs'
import { sqliteFileIn } from '#platform/database/sqlite-url.ts'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** The commits that are in the log; the log begins anew once it has a thousand pages. */
export function commitsIn(url: string): number {
  const log = readFileSync(`${sqliteFileIn(url)}-wal`)
  const pageBytes = log.readUInt32BE(8)
  const salt = log.subarray(16, 24)
  let commits = 0
  for (let at = HEADER_BYTES; at + FRAME_HEADER_BYTES <= log.length; at += FRAME_HEADER_BYTES + pageBytes) {
    // what stands behind the end of a log that began anew has another salt
    if (log.subarray(at + 8, at + 16).equals(salt) && log.readUInt32BE(at + 4) > 0) commits += 1
  }
  return commits
}
