// A process of its own that migrates and is killed, as by kill -9, right after its n-th query: DATABASE_URL, KILL_AFTER.
import { Kysely } from 'kysely'
import { MIGRATIONS } from '#app/services.ts'
import { kindOf } from '#platform/database/dialects/index.ts'
import { migrate } from '#platform/database/migrate.ts'

const url = process.env['DATABASE_URL'] ?? ''
const killAfter = Number(process.env['KILL_AFTER'])
const kind = kindOf(url)
let queries = 0

const db = new Kysely<unknown>({
  dialect: kind.dialect(url, () => {}),
  log() {
    queries += 1
    if (queries === killAfter) process.kill(process.pid, 'SIGKILL')
  },
})
await migrate({ db, kind, unhurried: (run) => run(db) }, MIGRATIONS)
await db.destroy()
