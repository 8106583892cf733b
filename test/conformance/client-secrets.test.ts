// The secrets of clients in their rows: the newest, and the one before it while a rotation lets it hold.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import path from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClients, type Clients } from '#core/clients/clients.ts'
import { createSecrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const MIGRATIONS = path.join(import.meta.dirname, '../../migrations')

describe.each(databases)('secrets of clients on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>
  let clients: Clients
  const time = { now: 1_800_000_000 }

  beforeAll(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    await migrate(database, MIGRATIONS)
    clients = createClients({
      audit: auditOn(database),
      database,
      secrets: createSecrets([randomBytes(32)]),
      clock: { now: () => time.now },
      metadataValidator: async () => async () => {},
      enableSigningKeys: async () => {},
    })
  })
  afterAll(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const web = (more: Record<string, unknown> = {}) =>
    clients.register({ name: 'Shop', redirect_uris: ['https://app.example/callback'], ...more })
  const rows = () => database.db.selectFrom('clients').selectAll().execute()

  test('the one before the newest is kept until its time, sealed for its own place', async () => {
    const { client, secret: old = '' } = await web()
    await clients.rotateSecret(client.id, { overlap_seconds: 60 })
    expect((await clients.get(client.id)).previousSecret).toEqual({ secret: old, expiresAt: time.now + 60 })
    expect(JSON.stringify(await rows())).not.toContain(old)
    // whoever swaps the two columns opens neither
    await sql`update clients set sealed_secret = sealed_previous_secret where id = ${client.id}`.execute(database.db)
    await expect(clients.get(client.id)).rejects.toMatchObject({ code: 'configuration' })
    await clients.remove(client.id)
  })

  test('one whose time is over is forgotten, and one that still holds stays', async () => {
    const [short, long] = [await web(), await web()]
    await clients.rotateSecret(short.client.id, { overlap_seconds: 60 })
    await clients.rotateSecret(long.client.id, { overlap_seconds: 61 })
    time.now += 60
    expect((await clients.get(short.client.id)).previousSecret).toBeUndefined()
    expect((await clients.get(long.client.id)).previousSecret?.secret).toBe(long.secret)
    expect([await clients.forgetExpiredSecrets(), await clients.forgetExpiredSecrets()]).toEqual([1, 0])
    const kept = (await rows()).filter((row) => row.sealed_previous_secret !== null)
    expect(kept.map(({ id }) => id)).toEqual([long.client.id])
  })

  test.each([-1, 0.5, 30 * 86_400 + 1, '60', null])('an overlap of %j seconds is refused', async (overlap) => {
    const { client, secret } = await web()
    await expect(clients.rotateSecret(client.id, { overlap_seconds: overlap })).rejects.toMatchObject({
      code: 'invalid_input',
      fields: { overlap_seconds: expect.any(String) },
    })
    expect((await clients.get(client.id)).secret).toBe(secret)
  })

  test('a client that comes to keys of its own forgets its secrets for good', async () => {
    const keys = { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })] }
    const { client, secret } = await web()
    await clients.rotateSecret(client.id, { overlap_seconds: 60 })
    const own = { token_endpoint_auth_method: 'private_key_jwt', jwks: keys }
    const changed = await clients.update(client.id, { metadata: own })
    expect(secret).toBeDefined()
    expect([changed.secret, changed.previousSecret]).toEqual([undefined, undefined])
    const [row] = (await rows()).filter(({ id }) => id === client.id)
    expect(row).toMatchObject({ sealed_secret: null, sealed_previous_secret: null, previous_secret_expires_at: null })
    await expect(clients.rotateSecret(client.id)).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'A client with private_key_jwt has no secret.',
    })
    const back = { token_endpoint_auth_method: 'client_secret_basic', jwks: null }
    await expect(clients.update(client.id, { metadata: back })).rejects.toMatchObject({
      fields: { token_endpoint_auth_method: expect.stringContaining('no secret') },
    })
    const registered = await web({ metadata: own })
    expect([registered.secret, registered.client.secret]).toEqual([undefined, undefined])
  })
})
