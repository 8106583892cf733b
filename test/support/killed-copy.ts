// A process of its own that copies SOURCE_URL to DATABASE_URL and is killed, as by kill -9, in the middle of the n-th
// page: KILL_IN_PAGE.
import { Kysely } from 'kysely'
import { MIGRATIONS } from '#app/services.ts'
import { copyDatabase, type CopyTables } from '#platform/database/copy.ts'
import { kindOf } from '#platform/database/dialects/index.ts'
import { openDatabase } from '#platform/database/open.ts'
import { openUnits } from '#platform/database/unit.ts'

const url = process.env['DATABASE_URL'] ?? ''
const killInPage = Number(process.env['KILL_IN_PAGE'])
const kind = kindOf(url)
let pages = 0

const db = new Kysely<CopyTables>({
  dialect: kind.dialect(url, () => {}),
  log({ query }) {
    if (query.sql.startsWith('update "copy_progress"')) pages += 1
    if (pages === killInPage) process.kill(process.pid, 'SIGKILL')
  },
})
const source = openDatabase<CopyTables>(process.env['SOURCE_URL'] ?? '', () => {})
const target = {
  ...openUnits(kind.writersTakeTurns),
  db,
  kind,
  unhurried: <R>(run: (same: typeof db) => Promise<R>) => run(db),
  close: () => db.destroy(),
}
await copyDatabase({ source, target, migrations: MIGRATIONS, without: [] })
