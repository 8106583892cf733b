// The services of a server without the server: what rooms and commands are given, on a fresh database and a set clock.
import { randomBytes } from 'node:crypto'
import { loadConfig } from '#app/config.ts'
import { openServices } from '#app/services.ts'
import type { Services } from '#core/services.ts'
import type { Clock } from '#platform/clock.ts'
import type { DatabaseKind } from './databases.ts'

export interface TestServices {
  readonly services: Services
  /** Closes them and removes the database. */
  close(): Promise<void>
}

export async function servicesOn(kind: DatabaseKind, clock: Clock): Promise<TestServices> {
  const database = await kind.create()
  const { services, close } = await servicesOver(database.url, clock)
  return {
    services,
    async close() {
      await close()
      await database.drop()
    },
  }
}

/** The same over a database that the caller has made. */
export function servicesOver(
  url: string,
  clock: Clock,
  masterKey = randomBytes(32).toString('base64url'),
): ReturnType<typeof openServices> {
  const config = loadConfig({
    DATABASE_URL: url,
    MASTER_KEY: masterKey,
    LOG_LEVEL: 'silent',
    LOG_FORMAT: 'json',
  })
  return openServices(config, { clock })
}
