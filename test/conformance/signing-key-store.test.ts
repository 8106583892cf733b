import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecrets, type Secrets } from '#core/secrets.ts'
import { FIRST_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import { MAX_JWKS_BYTES } from '#core/signing-keys/key-state.ts'
import { createSigningKeys, type SigningKeys } from '#core/signing-keys/signing-keys.ts'
import { signingKeyStore } from '#core/signing-keys/store.ts'
import type { Tables } from '#core/tables.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { databases, type TestDatabase } from '../support/databases.ts'

const NOW = 1_800_000_000
const AHEAD = 3_600
const SESSION = 86_400
const UNPUBLISHED_AFTER = 900 + 60 + AHEAD
const GONE_AFTER = SESSION + 60 + AHEAD
const settings = {
  keys: { publishAheadSeconds: AHEAD },
  tokens: { accessSeconds: 900, idSeconds: 600 },
  session: { absoluteSeconds: SESSION },
}

describe.each(databases)('signing keys on $name', ({ create }) => {
  let testDatabase: TestDatabase
  let hosts: Database<Tables>[]
  let secrets: Secrets
  let now: number

  /** One more process on the same database: its own connections, the same clock. */
  const host = (withSecrets = secrets): SigningKeys => {
    const database = openDatabase<Tables>(testDatabase.url, () => {})
    hosts.push(database)
    return createSigningKeys({
      audit: auditOn(database),
      store: signingKeyStore(database.db),
      secrets: withSecrets,
      clock: { now: () => now },
      settings,
    })
  }
  const firstDatabase = (): Database<Tables> => {
    const [database] = hosts
    if (!database) throw new Error('no host is open')
    return database
  }
  const kidsOf = async (keys: SigningKeys): Promise<string[]> => {
    const loaded = await keys.load()
    return loaded.keys.map(({ kid }) => kid).filter((kid) => !loaded.unpublished.has(kid))
  }

  beforeEach(async () => {
    testDatabase = await create()
    hosts = [openDatabase<Tables>(testDatabase.url, () => {})]
    secrets = createSecrets([randomBytes(32)])
    now = NOW
    await migrate(firstDatabase(), path.resolve(import.meta.dirname, '../../migrations'))
  })

  afterEach(async () => {
    for (const database of hosts) await database.close()
    await testDatabase.drop()
  })

  test('five hosts that start at once make one key of each algorithm and load the same ones', async () => {
    const started = Array.from({ length: 5 }, () => host())
    await Promise.all(started.map((keys) => keys.ensure()))
    const list = await host().list()
    expect(list.map(({ alg, state, activatesAt }) => ({ alg, state, activatesAt }))).toEqual(
      FIRST_ALGORITHMS.map((alg) => ({ alg, state: 'current', activatesAt: NOW })),
    )
    const loaded = await Promise.all(started.map((keys) => keys.load()))
    for (const each of loaded) expect(each).toEqual(loaded[0])
    expect(loaded[0]?.keys.map(({ kid }) => kid)).toEqual(list.map(({ kid }) => kid))
  })

  test('a later start makes nothing new, and only what is missing', async () => {
    await host().ensure(['ES256'])
    const [first] = await host().list()
    await host().ensure()
    await host().ensure()
    const list = await host().list()
    expect(list).toHaveLength(3)
    expect(list.find(({ alg }) => alg === 'ES256')).toEqual(first)
  })

  test('private halves are sealed: no row and no listing shows one', async () => {
    const keys = host()
    await keys.ensure(['ES256'])
    const [jwk] = (await keys.load()).keys
    const rows = JSON.stringify(await firstDatabase().db.selectFrom('signing_keys').selectAll().execute())
    expect(jwk?.d).toMatch(/^[\w-]{43}$/)
    expect(rows).not.toContain(jwk?.d)
    expect(JSON.stringify(await keys.list())).not.toContain(jwk?.d)
    expect(JSON.parse(rows)).toMatchObject([{ public_jwk: expect.stringContaining(jwk?.kid ?? '-') }])
  })

  test('a key walks next, current, retiring, gone, and every other host sees it by version and clock alone', async () => {
    const keys = host()
    const other = host()
    await keys.ensure(['RS256'])
    const atStart = await other.version()
    const [rotation] = await keys.rotate('RS256')
    if (!rotation) throw new Error('nothing was rotated')
    const [a, b] = [rotation.predecessor.kid, rotation.key.kid]
    expect(rotation).toMatchObject({
      key: { state: 'next', createdAt: NOW, activatesAt: NOW + AHEAD, retiresAt: undefined, goneAt: undefined },
      predecessor: {
        state: 'current',
        retiresAt: NOW + AHEAD,
        unpublishedAt: NOW + AHEAD + UNPUBLISHED_AFTER,
        goneAt: NOW + AHEAD + GONE_AFTER,
      },
    })
    const seen = async () => ({
      states: (await other.list()).map(({ kid, state }) => `${kid === a ? 'a' : 'b'} ${state}`),
      published: (await kidsOf(other)).map((kid) => (kid === a ? 'a' : 'b')).join(' '),
      version: await other.version(),
    })

    const waiting = await seen()
    expect(waiting).toMatchObject({ states: ['a current', 'b next'], published: 'a b' })
    expect(waiting.version).not.toBe(atStart)
    now = NOW + AHEAD - 1
    expect(await seen()).toEqual(waiting)

    now = NOW + AHEAD
    const changedOver = await seen()
    expect(changedOver).toMatchObject({ states: ['a retiring', 'b current'], published: 'b a' })
    expect(changedOver.version).not.toBe(waiting.version)
    now = NOW + AHEAD + UNPUBLISHED_AFTER - 1
    expect(await seen()).toEqual(changedOver)

    now = NOW + AHEAD + UNPUBLISHED_AFTER
    const forHints = await seen()
    expect(forHints).toMatchObject({ states: ['a retired', 'b current'], published: 'b' })
    expect(forHints.version).not.toBe(changedOver.version)
    expect((await other.load()).keys.map(({ kid }) => kid)).toEqual([b, a])
    now = NOW + AHEAD + GONE_AFTER - 1
    expect(await seen()).toEqual(forHints)

    now = NOW + AHEAD + GONE_AFTER
    const alone = await seen()
    expect(alone).toMatchObject({ states: ['a gone', 'b current'], published: 'b' })
    expect(alone.version).not.toBe(forHints.version)
    expect((await other.load()).keys.map(({ kid }) => kid)).toEqual([b])
    expect(b).not.toBe(a)
    expect((await other.load()).version).toBe(alone.version)
  })

  test('of rotations at the same moment on several hosts one happens and the others hear why not', async () => {
    await host().ensure(['RS256', 'ES256', 'EdDSA'])
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => host()).map((keys) => keys.rotate()))
    const refused = results.filter((result) => result.status === 'rejected')
    expect(results.length - refused.length).toBeGreaterThanOrEqual(1)
    for (const { reason } of refused)
      expect(reason).toMatchObject({ code: 'conflict', hint: expect.stringContaining('key list') })
    // whoever came too late to lose queued up: each algorithm has one unbroken timeline
    const list = await host().list()
    expect(list).toHaveLength(3 * (1 + results.length - refused.length))
    for (const alg of FIRST_ALGORITHMS) {
      const line = list.filter((key) => key.alg === alg)
      expect(line.map(({ retiresAt }) => retiresAt)).toEqual([
        ...line.slice(1).map(({ activatesAt }) => activatesAt),
        undefined,
      ])
      expect(line.filter(({ state }) => state === 'current')).toHaveLength(1)
    }
  })

  test('a successor that lost the race changes nothing, not even for the algorithms before it', async () => {
    const keys = host()
    await keys.ensure(['RS256', 'ES256'])
    const store = signingKeyStore(firstDatabase().db)
    const [rsa, ec] = await store.list()
    if (!rsa || !ec) throw new Error('two keys were expected')
    const order = [rsa, ec].toSorted((a, b) => b.alg.localeCompare(a.alg))
    const changes = order.map((before) => ({ before, after: { ...before, retiresAt: NOW, goneAt: NOW + 1 } }))
    const added = order.map((of) => ({
      ...of,
      kid: `after ${of.kid}`,
      sequence: 2,
      publicJwk: '{}',
      sealedPrivateJwk: 'sealed',
    }))
    await keys.rotate('ES256')
    const before = await keys.list()
    await expect(store.change(changes, added, NOW, async () => {})).rejects.toMatchObject({ code: 'conflict' })
    await expect(store.change([], added, NOW, async () => {})).rejects.toMatchObject({ code: 'conflict' })
    expect(await keys.list()).toEqual(before)
  })

  test('rotations in a row queue up, and stop where the JWKS would be too large for verifiers', async () => {
    const keys = host()
    await keys.ensure(['ES512'])
    let refused: unknown
    while (refused === undefined)
      refused = await keys.rotate('ES512').then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(refused).toMatchObject({ code: 'conflict', hint: expect.stringContaining('GMT') })
    const list = await keys.list()
    expect(list.length).toBeGreaterThan(20)
    expect(list.map(({ activatesAt }) => activatesAt)).toEqual([
      NOW,
      ...list.slice(1).map((_, index) => NOW + AHEAD + index),
    ])
    const bytes = JSON.stringify({ keys: (await keys.load()).keys.map((jwk) => ({ ...jwk, d: undefined })) }).length
    expect(bytes).toBeGreaterThan(MAX_JWKS_BYTES - 2_000)
    expect(bytes).toBeLessThan(50 * 1024)
    now = list[0]?.unpublishedAt ?? NOW
    await expect(keys.rotate('ES512')).resolves.toHaveLength(1)
  })

  test('without an algorithm every one in use rotates; one without a key is refused', async () => {
    const keys = host()
    await expect(keys.rotate()).rejects.toMatchObject({ code: 'not_found' })
    await keys.ensure(['ES256', 'EdDSA'])
    expect((await keys.rotate()).map(({ key }) => key.alg)).toEqual(['ES256', 'EdDSA'])
    await expect(keys.rotate('RS256')).rejects.toMatchObject({ code: 'not_found', hint: expect.any(String) })
  })

  test('private halves of gone keys are wiped; the others and the list stay', async () => {
    const keys = host()
    await keys.ensure(['EdDSA'])
    await keys.rotate('EdDSA')
    now = NOW + AHEAD + GONE_AFTER - 1
    expect(await keys.wipeGone()).toBe(0)
    expect((await keys.load()).keys).toHaveLength(2)
    now += 1
    const before = await keys.version()
    expect(await keys.wipeGone()).toBe(1)
    expect(await keys.wipeGone()).toBe(0)
    expect(await keys.version()).toBe(before)
    expect((await keys.list()).map(({ state }) => state)).toEqual(['gone', 'current'])
    const rows = await firstDatabase()
      .db.selectFrom('signing_keys')
      .select(['sequence', 'sealed_private_jwk'])
      .orderBy('sequence')
      .execute()
    expect(rows).toMatchObject([{ sealed_private_jwk: null }, { sealed_private_jwk: expect.any(String) }])
  })

  test('refuses a foreign master key in one clear sentence, and never seals a successor under it', async () => {
    await host().ensure(['ES256'])
    const stranger = host(createSecrets([randomBytes(32)]))
    const refusal = {
      code: 'configuration',
      message: expect.stringContaining('master key'),
      hint: expect.stringContaining('master.key'),
    }
    await expect(stranger.load()).rejects.toMatchObject(refusal)
    await expect(stranger.rotate()).rejects.toMatchObject(refusal)
    expect(await host().list()).toHaveLength(1)
  })

  test('refuses a private half that was moved to another row', async () => {
    const keys = host()
    await keys.ensure(['ES256', 'EdDSA'])
    const { db } = firstDatabase()
    const { sealed_private_jwk } = await db
      .selectFrom('signing_keys')
      .selectAll()
      .where('alg', '=', 'EdDSA')
      .executeTakeFirstOrThrow()
    await db.updateTable('signing_keys').set({ sealed_private_jwk }).where('alg', '=', 'ES256').execute()
    await expect(keys.load()).rejects.toMatchObject({ code: 'configuration' })
  })
})
