import { generateKeyPairSync, randomBytes } from 'node:crypto'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecrets, type Secrets } from '#core/secrets.ts'
import { createSigningKeys, type SigningKeyNeeds, type SigningKeys } from '#core/signing-keys/signing-keys.ts'
import { signingKeyStore } from '#core/signing-keys/store.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const NOW = 1_800_000_000
const AHEAD = 3_600

const pem = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

describe.each(databases)('changes to signing keys on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let database: Database<Tables>
  let secrets: Secrets
  let now: number

  const host = (
    settings: SigningKeyNeeds['settings'] = {
      keys: { publishAheadSeconds: AHEAD },
      tokens: { accessSeconds: 900, idSeconds: 600 },
      session: { absoluteSeconds: 86_400 },
    },
  ): SigningKeys =>
    createSigningKeys({
      audit: auditOn(database),
      store: signingKeyStore(database.db),
      secrets,
      clock: { now: () => now },
      settings,
    })
  const kidsOf = async (keys: SigningKeys): Promise<string[]> => (await keys.load()).keys.map(({ kid }) => kid)

  beforeEach(async () => {
    testDatabase = await create()
    database = openDatabase<Tables>(testDatabase.url, () => {})
    secrets = createSecrets([randomBytes(32)])
    now = NOW
    await migrate(database, path.resolve(import.meta.dirname, '../../migrations'))
  })

  afterEach(async () => {
    await database.close()
    await testDatabase.drop()
  })

  test('rotations every minute go on for hours where keys are published five minutes ahead', async () => {
    const keys = host({
      keys: { publishAheadSeconds: 300 },
      tokens: { accessSeconds: 300, idSeconds: 300 },
      session: { absoluteSeconds: 7 * 86_400 },
    })
    await keys.ensure(['EdDSA'])
    for (; now < NOW + 2 * 3_600; now += 60) {
      expect(await keys.rotate()).toHaveLength(1)
      const loaded = await keys.load()
      expect(loaded.keys.length - loaded.unpublished.size).toBeLessThanOrEqual(18)
      expect(loaded.unpublished.size).toBeLessThanOrEqual(34)
    }
  }, 60_000)

  test('an algorithm is enabled once, and everybody who enables it waits until servers have seen its key', async () => {
    const started = performance.now()
    await Promise.all([host(), host(), host()].map((keys) => keys.enable(['ES384', 'RS256'])))
    expect(performance.now() - started).toBeGreaterThan(950)
    expect((await host().list()).map(({ alg }) => alg)).toEqual(['ES384'])
    now += 2
    await host().enable(['ES384'])
    expect((await host().list()).map(({ alg }) => alg)).toEqual(['ES384'])
  })

  test('a retired current key yields to the waiting one, or to a fresh one, at once', async () => {
    const keys = host()
    await keys.ensure(['ES256'])
    const [first] = await keys.list()
    const [rotation] = await keys.rotate('ES256')
    const waiting = rotation?.key.kid
    const before = await host().version()
    expect(await keys.retire(first?.kid ?? '')).toMatchObject({
      key: { kid: first?.kid, state: 'gone', goneAt: NOW },
      current: { kid: waiting, state: 'current', activatesAt: NOW },
    })
    expect(await host().version()).not.toBe(before)
    expect(await kidsOf(host())).toEqual([waiting])
    const { current } = await keys.retire(waiting ?? '')
    expect(await kidsOf(host())).toEqual([current.kid])
    const rows = await database.db.selectFrom('signing_keys').selectAll().orderBy('sequence').execute()
    expect(rows.map(({ sealed_private_jwk }) => sealed_private_jwk === null)).toEqual([true, true, false])
    await expect(keys.retire(waiting ?? '')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a retired waiting key leaves the current one signing, and the next rotation goes on', async () => {
    const keys = host()
    await keys.ensure(['EdDSA'])
    const [rotation] = await keys.rotate('EdDSA')
    const { current } = await keys.retire(rotation?.key.kid ?? '')
    expect(current).toMatchObject({ kid: rotation?.predecessor.kid, retiresAt: undefined, goneAt: undefined })
    await expect(keys.rotate('EdDSA')).resolves.toMatchObject([{ key: { activatesAt: NOW + AHEAD } }])
  })

  test('of retirements and rotations at the same moment each line is left with one key that signs', async () => {
    const keys = host()
    await keys.ensure(['ES256'])
    const [first] = await keys.list()
    const [other, third] = [host(), host()]
    await Promise.allSettled([keys.retire(first?.kid ?? ''), other.rotate('ES256'), third.retire(first?.kid ?? '')])
    const list = await host().list()
    expect(list.filter(({ state }) => state === 'current')).toHaveLength(1)
    now += AHEAD
    expect((await host().list()).filter(({ state }) => state === 'current')).toHaveLength(1)
  })

  test('an imported key waits as a rotated one does, or signs at once where that is asked for', async () => {
    const keys = host()
    await keys.ensure(['ES256'])
    const [own] = await keys.list()
    const made = [pem(), pem()]
    expect(await keys.import({ text: made[0] ?? '', current: false })).toMatchObject({
      key: { alg: 'ES256', state: 'next', activatesAt: NOW + AHEAD },
      changed: [{ kid: own?.kid, retiresAt: NOW + AHEAD }],
    })
    const atOnce = await keys.import({ text: made[1] ?? '', current: true })
    expect(atOnce).toMatchObject({ key: { state: 'current' }, changed: [{ state: 'retiring' }, { state: 'gone' }] })
    expect(await kidsOf(host())).toEqual([atOnce.key.kid, own?.kid])
    for (const text of made)
      await expect(keys.import({ text, current: true })).rejects.toMatchObject({ code: 'conflict' })
    expect(await keys.list()).toHaveLength(3)
  })
})
