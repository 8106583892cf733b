import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { artifactStore } from '#core/artifacts/store.ts'
import { isOpenTo } from '#core/clients/client.ts'
import { createClients, type Clients } from '#core/clients/clients.ts'
import { createSecrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import { auditOn } from '../support/audit.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const CALLBACK = 'https://app.example/callback'

describe.each(databases)('clients on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>
  let clients: Clients
  const judged: Record<string, unknown>[] = []
  const enabled: string[] = []
  const time = { now: 1_800_000_000 }
  const secrets = createSecrets([randomBytes(32)])

  beforeAll(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    await migrate(database, path.join(import.meta.dirname, '../../migrations'))
    const names = ['staff', 'sales', 'board']
    await database.db
      .insertInto('groups')
      .values(names.map((name) => ({ id: `id-${name}`, name, created_at: 1 })))
      .execute()
    clients = createClients({
      audit: auditOn(database),
      database,
      secrets,
      clock: { now: () => time.now },
      metadataValidator: async () => async (metadata) => {
        judged.push(metadata)
        if (metadata['client_name'] === 'Unloved') throw new AppError('invalid_input', 'The protocol library says no.')
      },
      enableSigningKeys: async (algorithms) => void enabled.push(...algorithms),
    })
  })

  afterAll(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const web = (more: Record<string, unknown> = {}) =>
    clients.register({ name: 'Shop', redirect_uris: [CALLBACK], ...more })
  const refusalOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (error instanceof AppError) return { code: error.code, fields: error.fields }
    throw new Error('it was not refused', { cause: error })
  }

  test('are found as they were registered', async () => {
    const { client } = await web({
      assignment: 'groups',
      groups: ['staff', 'board'],
      first_party: true,
      refresh_tokens: 'always',
    })
    expect(await clients.find(client.id)).toEqual(client)
    expect(client).toMatchObject({
      name: 'Shop',
      type: 'web',
      groups: ['board', 'staff'],
      firstParty: true,
      requirePkce: false,
      refreshTokens: 'always',
      disabled: false,
      createdAt: time.now,
      updatedAt: time.now,
    })
    expect(client.metadata).toMatchObject({
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
    })
  })

  test('have keys made for what they are signed with, and none for a change that is refused', async () => {
    enabled.length = 0
    const { client } = await web({ metadata: { id_token_signed_response_alg: 'PS384' } })
    expect(enabled).toEqual(['PS384'])
    await clients.update(client.id, { metadata: { id_token_signed_response_alg: 'ES512' } })
    expect(enabled).toEqual(['PS384', 'ES512'])
    const refused = { type: 'native', metadata: { id_token_signed_response_alg: 'PS512' } }
    await expect(clients.update(client.id, refused)).rejects.toMatchObject({ code: 'invalid_input' })
    await clients.update(client.id, { metadata: { id_token_signed_response_alg: 'HS256' } })
    expect(enabled).toEqual(['PS384', 'ES512'])
  })

  test('get an id and, where they can keep it, a secret that nobody can guess', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => web()))
    expect(new Set(made.map(({ client }) => client.id)).size).toBe(20)
    expect(new Set(made.map(({ secret }) => secret)).size).toBe(20)
    for (const { client, secret } of made) {
      expect(client.id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      expect(secret).toMatch(/^[A-Za-z0-9_-]{64}$/)
      expect((await clients.get(client.id)).secret).toBe(secret)
    }
    const spa = await web({ type: 'spa' })
    expect([spa.secret, spa.client.secret]).toEqual([undefined, undefined])
  })

  test('A106 leave no readable secret in the database', async () => {
    const first = await web()
    const second = await clients.rotateSecret(first.client.id)
    const dump = JSON.stringify(await everything(database))
    expect(dump).toContain(first.client.id)
    expect(first.secret).toBeDefined()
    expect(dump).not.toContain(first.secret)
    expect(dump).not.toContain(second.secret)
  })

  test('are not found, and nothing breaks, for ids that no client can have', async () => {
    for (const id of ['', 'unknown', 'a\0b', '\ud800', 'ü', `'; drop table clients; --`, 'x'.repeat(100_000)]) {
      expect(await clients.find(id)).toBeUndefined()
      expect(await refusalOf(clients.get(id))).toMatchObject({ code: 'not_found' })
      expect(await refusalOf(clients.update(id, { name: 'New' }))).toMatchObject({ code: 'not_found' })
      expect(await refusalOf(clients.rotateSecret(id))).toMatchObject({ code: 'not_found' })
      expect(await refusalOf(clients.disable(id))).toMatchObject({ code: 'not_found' })
      expect(await refusalOf(clients.enable(id))).toMatchObject({ code: 'not_found' })
      expect(await refusalOf(clients.remove(id))).toMatchObject({ code: 'not_found' })
    }
  })

  test('are shown to the protocol library before they are stored', async () => {
    const { client, secret } = await web()
    expect(judged.at(-1)).toMatchObject({
      client_id: client.id,
      client_secret: secret,
      client_name: 'Shop',
      first_party: false,
    })
    expect(await refusalOf(web({ name: 'Unloved' }))).toMatchObject({ code: 'invalid_input' })
    expect(await refusalOf(clients.update(client.id, { name: 'Unloved' }))).toMatchObject({ code: 'invalid_input' })
    expect(await clients.find(client.id)).toEqual(client)
    expect(JSON.stringify(await everything(database))).not.toContain('Unloved')
  })

  test('are refused for groups that do not exist, and nothing is stored', async () => {
    const before = (await everything(database))['clients']
    const refused = await refusalOf(web({ assignment: 'groups', groups: ['staff', 'ghosts', 'elves'] }))
    expect(refused.fields).toEqual({ groups: expect.stringContaining('"elves", "ghosts"') })
    expect((await everything(database))['clients']).toEqual(before)
  })

  test('change only in what is given', async () => {
    const { client } = await web({
      assignment: 'groups',
      groups: ['staff'],
      scope: 'openid email',
      metadata: { tos_uri: 'https://app.example/terms' },
    })
    time.now += 10
    const changed = await clients.update(client.id, {
      name: 'New',
      groups: ['sales', 'board'],
      metadata: { tos_uri: null },
    })
    const { tos_uri: _, ...metadata } = client.metadata
    expect(changed).toEqual({ ...client, name: 'New', groups: ['board', 'sales'], metadata, updatedAt: time.now })
    expect(await clients.find(client.id)).toEqual(changed)
    expect(await clients.update(client.id, { assignment: 'everyone' })).toMatchObject({
      assignment: 'everyone',
      groups: [],
    })
  })

  test('keep both of two changes made at once', async () => {
    const { client } = await web()
    await Promise.all([clients.update(client.id, { name: 'New' }), clients.update(client.id, { scope: 'openid' })])
    expect(await clients.get(client.id)).toMatchObject({ name: 'New', metadata: { scope: 'openid' } })
  })

  test('have one secret at a time', async () => {
    const { client, secret: old } = await web()
    const { secret } = await clients.rotateSecret(client.id)
    expect(secret).not.toBe(old)
    expect((await clients.get(client.id)).secret).toBe(secret)
  })

  test('are refused a secret when they cannot keep one', async () => {
    const { client } = await web({ type: 'spa' })
    expect(await refusalOf(clients.rotateSecret(client.id))).toMatchObject({ code: 'invalid_input' })
    expect((await clients.get(client.id)).secret).toBeUndefined()
  })

  test('end everything that stands on them when they are disabled, and open again without it', async () => {
    const { client } = await web()
    const other = await web()
    await leaveArtifacts(client.id, other.client.id)
    expect(await clients.disable(client.id)).toMatchObject({ disabled: true })
    expect(await artifactsOf(client.id)).toBe(0)
    expect(await artifactsOf(other.client.id)).toBe(2)
    expect(await clients.disable(client.id)).toMatchObject({ disabled: true })
    expect(await clients.find(client.id)).toMatchObject({ disabled: true })
    expect(await clients.enable(client.id)).toMatchObject({ disabled: false })
    expect(await artifactsOf(client.id)).toBe(0)
  })

  test('are gone with everything that stands on them', async () => {
    const { client } = await web({ assignment: 'groups', groups: ['staff'] })
    await leaveArtifacts(client.id)
    await clients.remove(client.id)
    expect(await clients.find(client.id)).toBeUndefined()
    const left = { ...(await everything(database)), audit_events: [] }
    expect(JSON.stringify(left)).not.toContain(client.id)
    expect(await refusalOf(clients.remove(client.id))).toMatchObject({ code: 'not_found' })
  })

  test('are open to everyone, or to those who share a group with them', async () => {
    const { client: open } = await web()
    const { client: closed } = await web({ assignment: 'groups', groups: ['staff', 'board'] })
    const { client: empty } = await web({ assignment: 'groups' })
    const verdicts = [[], ['sales'], ['board', 'sales']].map((groups) =>
      [open, closed, empty].map((client) => isOpenTo(client, { groups })),
    )
    expect(verdicts).toEqual([
      [true, false, false],
      [true, false, false],
      [true, true, false],
    ])
  })

  test('are open to nobody more when their group is deleted', async () => {
    await database.db.insertInto('groups').values({ id: 'id-gone', name: 'gone', created_at: 1 }).execute()
    const { client } = await web({ assignment: 'groups', groups: ['gone'] })
    await database.db.deleteFrom('groups').where('id', '=', 'id-gone').execute()
    const after = await clients.get(client.id)
    expect([after.assignment, after.groups]).toEqual(['groups', []])
    expect(isOpenTo(after, { groups: ['gone'] })).toBe(false)
  })

  test('are listed oldest first, page by page, each once', async () => {
    time.now += 1
    await web({ name: 'Last but one', assignment: 'groups', groups: ['staff', 'sales', 'board'] })
    time.now += 1
    await web({ name: 'Last' })
    const seen: { id: string; name: string; createdAt: number }[] = []
    let cursor: string | undefined
    do {
      const page = await clients.list({ limit: 3, cursor })
      expect(page.items.length).toBeLessThanOrEqual(3)
      seen.push(...page.items)
      cursor = page.next
    } while (cursor !== undefined)
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length)
    expect(seen.length).toBe((await everything(database))['clients']?.length)
    expect(seen.map(({ createdAt }) => createdAt)).toEqual(
      seen.map(({ createdAt }) => createdAt).toSorted((a, b) => a - b),
    )
    expect(seen.slice(-2).map(({ name }) => name)).toEqual(['Last but one', 'Last'])
    expect((await clients.list({ limit: seen.length })).next).toBeUndefined()
  })

  test.each(['', 'x', '!', Buffer.from('[1]').toString('base64url'), Buffer.from('["1","x"]').toString('base64url')])(
    'are not listed from the foreign cursor %j',
    async (cursor) => {
      expect(await refusalOf(clients.list({ limit: 3, cursor }))).toMatchObject({ code: 'invalid_input' })
    },
  )

  async function leaveArtifacts(...ids: string[]): Promise<void> {
    const rest = {
      payload: '{}',
      grant_id: null,
      account_id: null,
      session_uid: null,
      user_code: null,
      expires_at: null,
    }
    for (const id of ids) {
      await artifactStore(database.db).upsert({ id: `token-${id}`, model: 'AccessToken', client_id: id, ...rest })
      await artifactStore(database.db).upsert({ id: `grant-${id}`, model: 'Grant', client_id: id, ...rest })
    }
  }

  async function artifactsOf(id: string): Promise<number> {
    return (await database.db.selectFrom('artifacts').select('id').where('client_id', '=', id).execute()).length
  }
})

/** Every row of every table. */
async function everything({ db }: Database<Tables>): Promise<Record<string, unknown[]>> {
  const rows = async (name: string) => [name, (await sql`select * from ${sql.table(name)}`.execute(db)).rows] as const
  const dumps = (await db.introspection.getTables()).map(({ name }) => rows(name))
  return Object.fromEntries(await Promise.all(dumps))
}
