// What is done to an installation under load, and what its clients may notice of it. A fault is one row here.
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { userinfo } from '../support/protocol.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

export interface Fault {
  readonly name: string
  readonly databases: readonly World['database'][]
  /** How many processes it takes. */
  readonly size: number
  /**
   * What an answer may be while it lasts. `lost`: connections break and 503 is heard; `unavailable`: 503 is heard, and
   * no answer is lost; `nothing`: nobody notices.
   */
  readonly clientsNotice: 'lost' | 'unavailable' | 'nothing'
  /** Does it, and undoes it. Gives how long the processes that it started took to be ready, in milliseconds. */
  run(world: World, random: Random): Promise<readonly number[]>
}

const BOTH = ['sqlite', 'postgres'] as const
const POSTGRES = ['postgres'] as const

export const faults: readonly Fault[] = [
  {
    name: 'kill',
    databases: BOTH,
    size: 1,
    clientsNotice: 'lost',
    async run(world) {
      await world.end(0, 'SIGKILL')
      return [await world.start(0)]
    },
  },
  {
    name: 'backends',
    databases: POSTGRES,
    size: 1,
    clientsNotice: 'unavailable',
    async run(world, random) {
      for (let kills = 0; kills < 15; kills += 1) {
        await endOneBackend(world)
        await sleep(random.between(20, 200))
      }
      return []
    },
  },
  {
    name: 'restart-database',
    databases: POSTGRES,
    size: 1,
    clientsNotice: 'unavailable',
    async run(world, random) {
      await world.restartDatabase(random.chance(0.5) ? 'SIGINT' : 'SIGQUIT')
      return []
    },
  },
  {
    name: 'slow',
    databases: POSTGRES,
    size: 1,
    clientsNotice: 'unavailable',
    async run({ line }, random) {
      line?.slow(random.between(100, 1_000))
      await sleep(random.between(1_000, 6_000))
      line?.heal()
      return []
    },
  },
  {
    name: 'swallow',
    databases: POSTGRES,
    size: 1,
    clientsNotice: 'unavailable',
    async run({ line }, random) {
      line?.swallow()
      await sleep(random.between(500, 8_000))
      line?.heal()
      return []
    },
  },
  {
    name: 'swallow-and-stop',
    databases: POSTGRES,
    size: 1,
    clientsNotice: 'lost',
    async run(world, random) {
      world.line?.swallow()
      await sleep(random.between(0, 1_000))
      const code = await world.end(0, 'SIGTERM')
      if (code !== 0) throw new Error(`the server ended with ${code}`)
      world.line?.heal()
      return [await world.start(0)]
    },
  },
  {
    name: 'flood',
    databases: BOTH,
    size: 1,
    clientsNotice: 'unavailable',
    async run({ app }) {
      // five hundred at once that all ask the database
      const flood = Array.from({ length: 500 }, () => userinfo(app, 'nothing'))
      await Promise.all(flood)
      return []
    },
  },
  {
    name: 'rolling',
    databases: POSTGRES,
    size: 3,
    clientsNotice: 'nothing',
    async run(world, random) {
      const ready: number[] = []
      for (let index = 0; index < world.size; index += 1) {
        const code = await world.end(index, 'SIGTERM')
        if (code !== 0) throw new Error(`process ${index} ended with ${code}`)
        ready.push(await world.start(index))
        await sleep(random.between(0, 300))
      }
      return ready
    },
  },
  {
    name: 'rotate-keys',
    databases: BOTH,
    size: 1,
    clientsNotice: 'nothing',
    async run({ app }) {
      const { signingKeys, settings } = app.services
      const rotated = await signingKeys.rotate('RS256')
      if (rotated.length === 0) throw new Error('no key was rotated')
      // until the new key signs
      await sleep((settings.keys.publishAheadSeconds + 1) * 1_000)
      return []
    },
  },
]

/** One connection of the servers, as an administrator or a failing host ends it. */
async function endOneBackend({ app }: World): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    order by random() limit 1`.execute(app.services.database.db)
}
