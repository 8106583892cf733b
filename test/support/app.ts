// The real server in the test's own process: the same config, services and app as `npm start`, on a free port.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createApp } from '#app/app.ts'
import { loadConfig, type Config } from '#app/config.ts'
import { features } from '#app/features.ts'
import { listen } from '#app/listen.ts'
import { openServices } from '#app/services.ts'
import type { Account } from '#core/accounts/account.ts'
import type { Client } from '#core/clients/client.ts'
import type { Feature } from '#core/feature.ts'
import type { Services } from '#core/services.ts'
import type { Needs } from '#oidc/needs.ts'
import { openLog, type Log } from '#platform/log.ts'
import type { DatabaseKind } from './databases.ts'
import { freePort } from './free-port.ts'

export const PASSWORD = 'a long walk by the sea'

export interface TestApp {
  readonly issuer: string
  readonly config: Config
  readonly services: Services
  refreshKeys(): Promise<void>
  close(): Promise<void>
}

export interface TestAppOptions {
  /** Settings by name, as the environment would give them. */
  readonly settings?: Readonly<Record<string, string>>
  /** Path of the issuer, such as /id. */
  readonly path?: string
  readonly log?: Log
  /** Rooms beside those of the product. */
  readonly more?: readonly Feature<Needs>[]
}

/** Starts a server on a fresh database of the kind. `close` stops it and removes what it made. */
export async function startApp(
  kind: DatabaseKind,
  { settings = {}, path: issuerPath = '', log, more = [] }: TestAppOptions = {},
): Promise<TestApp> {
  const database = await kind.create()
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-app-'))
  const port = await freePort()
  const issuer = `http://localhost:${port}${issuerPath}`
  const config = loadConfig(
    {
      ISSUER: issuer,
      HOST: 'localhost',
      DATABASE_URL: database.url,
      KEYS_DIR: path.join(folder, 'keys'),
      LOG_LEVEL: 'silent',
      LOG_FORMAT: 'json',
      ...settings,
    },
    folder,
  )
  const { services, close } = await openServices(config, { log: log ?? openLog(config.log) })
  const app = await createApp(config, services, [...more, ...features])
  const server = await listen(config.listen, app.answer, config.clientCertificates.authorities)

  return {
    issuer,
    config,
    services,
    refreshKeys: app.refreshKeys,
    async close() {
      await server.drain()
      await app.close()
      await close()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A person who signs in with `ada` or her address, and PASSWORD. */
export function createPerson({ accounts }: Services, more: Readonly<Record<string, unknown>> = {}): Promise<Account> {
  return accounts.create(
    {
      email: 'ada@example.com',
      username: 'ada',
      given_name: 'Ada',
      family_name: 'Byron',
      email_verified: true,
      ...more,
    },
    PASSWORD,
  )
}

export interface RegisteredClient {
  readonly client: Client
  readonly secret: string | undefined
}

/** A web client that returns to REDIRECT_URI. */
export function createClient(
  { clients }: Services,
  more: Readonly<Record<string, unknown>> = {},
): Promise<RegisteredClient> {
  return clients.register({ name: 'Reading list', type: 'web', redirect_uris: [REDIRECT_URI], ...more })
}

/** Nobody listens there: tests read the redirect instead of following it. */
export const REDIRECT_URI = 'http://localhost:9/callback'
