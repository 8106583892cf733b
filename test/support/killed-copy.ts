// A process of its own that copies SOURCE_URL to DATABASE_URL and is killed, as by kill -9, right after the n-th query on
// the latter: KILL_AFTER.
import { Kysely } from 'kysely'
import { MIGRATIONS } from '#app/services.ts'
import { copyDatabase, type CopyTables } from '#platform/database/copy.ts'
import { kindOf } from '#platform/database/dialects/index.ts'
import { openDatabase } from '#platform/database/open.ts'

const url = process.env['DATABASE_URL'] ?? ''
const killAfter = Number(process.env['KILL_AFTER'])
const kind = kindOf(url)
let queries = 0

const db = new Kysely<CopyTables>({
  dialect: kind.dialect(url, () => {}),
  log() {
    queries += 1
    if (queries === killAfter) process.kill(process.pid, 'SIGKILL')
  },
})
const source = openDatabase<CopyTables>(process.env['SOURCE_URL'] ?? '', () => {})
const target = { db, kind, unhurried: <R>(run: (same: typeof db) => Promise<R>) => run(db), close: () => db.destroy() }
await copyDatabase({ source, target, migrations: MIGRATIONS, without: [] })
