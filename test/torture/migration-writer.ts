// A process of its own that writes to DATABASE_URL one row after the other, as a server of any release could, until it
// gets SIGTERM; then it tells how many were acknowledged and how long one took at most.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tables } from '#core/tables.ts'
import { openDatabase } from '#platform/database/open.ts'

const { db, kind, close } = openDatabase<Tables>(process.env['DATABASE_URL'] ?? '', () => {})
const told = { stop: false }
process.on('SIGTERM', () => (told.stop = true))
let acknowledged = 0
let longestMs = 0

while (!told.stop) {
  const name = `written-${acknowledged}`
  // the tables that a sign-in writes to, and those that migrations change
  await timed(() => db.updateTable('accounts').set({ name }).where('id', '=', 'person-1').execute())
  await timed(() => db.updateTable('artifacts').set({ consumed_at: 1 }).where('id', '=', 'artifact-1').execute())
  await timed(() => db.insertInto('groups').values({ id: name, name, created_at: 1 }).execute())
  acknowledged += 1
  if (acknowledged === 1) process.stdout.write('writing\n')
  await sleep(2)
}
await close()
process.stdout.write(`acknowledged ${acknowledged}, longest ${Math.ceil(longestMs)} ms\n`)

/** A client that is answered 503 comes again; the time it waits counts. */
async function timed(write: () => Promise<unknown>): Promise<void> {
  const begun = performance.now()
  for (let done = false; !done;) {
    try {
      await write()
      done = true
    } catch (error) {
      if (!kind.isTransient(error)) throw error
    }
  }
  longestMs = Math.max(longestMs, performance.now() - begun)
}
