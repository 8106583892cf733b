// The contract of the protocol library's adapter (its docs, "Adapters"), and what ours promises beyond it: nothing in
// the table would be accepted by anybody. What is used once is in single-use-adapter.test.ts.
import { randomBytes } from 'node:crypto'
import type { AdapterPayload } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXPIRY_GRACE_SECONDS } from '#core/artifacts/store.ts'
import { artifactKey } from '#oidc/adapter.ts'
import {
  freshArtifact,
  MODELS,
  OF_A_GRANT,
  openAdapters,
  payloadOf,
  saveWithGrant,
  type Adapters,
} from '../support/adapters.ts'
import { databases } from '../support/databases.ts'

describe.each(databases)('the adapter on $name', (database) => {
  let adapters: Adapters
  let clock: Adapters['clock']

  beforeAll(async () => {
    adapters = await openAdapters(database)
    clock = adapters.clock
  })
  afterAll(() => adapters.close())

  describe.each(MODELS)('keeps a %s', (model) => {
    test('and finds it as it was saved, its jti too, as a fresh object each time', async () => {
      const { id, payload } = freshArtifact(model)
      await adapters.adapterOf(model).upsert(id, payload, 60)
      const found = await adapters.adapterOf(model).find(id)
      expect(found).toEqual(payload)
      expect(await adapters.adapterOf(model).find(id)).not.toBe(found)
      expect(await adapters.adapterOf(model).find(`${id}x`)).toBeUndefined()
      for (const other of MODELS.filter((name) => name !== model))
        expect(await adapters.adapterOf(other).find(id)).toBeUndefined()
    })

    test('until a minute after it expired, and for ever without an expiry', async () => {
      const [mortal, immortal] = [freshArtifact(model), freshArtifact(model)]
      await adapters.adapterOf(model).upsert(mortal.id, mortal.payload, 100)
      await adapters.adapterOf(model).upsert(immortal.id, immortal.payload, undefined)
      const began = clock.seconds
      clock.seconds = began + 100 + EXPIRY_GRACE_SECONDS - 1
      expect(await adapters.adapterOf(model).find(mortal.id)).toEqual(mortal.payload)
      clock.seconds += 1
      expect(await adapters.adapterOf(model).find(mortal.id)).toBeUndefined()
      clock.seconds += 1_000_000_000
      expect(await adapters.adapterOf(model).find(immortal.id)).toEqual(immortal.payload)
      clock.seconds = began
    })

    test('until it is destroyed, and no other', async () => {
      const [gone, kept] = [freshArtifact(model), freshArtifact(model)]
      for (const { id, payload } of [gone, kept]) await adapters.adapterOf(model).upsert(id, payload, 60)
      await adapters.adapterOf(model).destroy(gone.id)
      await adapters.adapterOf(model).destroy(gone.id)
      expect(await adapters.adapterOf(model).find(gone.id)).toBeUndefined()
      expect(await adapters.adapterOf(model).find(kept.id)).toEqual(kept.payload)
    })
  })

  test.each(MODELS.filter((model) => !['RefreshToken', 'ReplayDetection'].includes(model)))(
    'a %s that is saved again is replaced, all of it',
    async (model) => {
      const { id, payload } = freshArtifact(model)
      await adapters.adapterOf(model).upsert(id, { ...payload, nonce: 'of the first time' }, 60)
      const second: AdapterPayload = { ...payload, clientId: 'another' }
      delete second.accountId
      await adapters.adapterOf(model).upsert(id, second, 120)
      expect(await adapters.adapterOf(model).find(id)).toEqual(second)
      const row = await adapters.rowOf(model, id)
      expect(row.expires_at).toBe(clock.seconds + 120)
      const lookedUp = model === 'Interaction' ? {} : { client_id: 'another', account_id: null }
      expect(row).toMatchObject(lookedUp)
    },
  )

  test.each(OF_A_GRANT)('a %s ends with its grant; other models and grants do not', async (model) => {
    const [gone, otherGrant] = [freshArtifact(model), freshArtifact(model)]
    await saveWithGrant(adapters.adapterOf, model, gone.id, `grant-${model}`)
    await saveWithGrant(adapters.adapterOf, model, otherGrant.id, `grant-of-another-${model}`)
    const neighbours = MODELS.filter((name) => name !== model)
    for (const name of neighbours) await saveWithGrant(adapters.adapterOf, name, `by-${gone.id}`, `grant-${model}`)
    await adapters.adapterOf(model).revokeByGrantId(`grant-${model}`)
    expect(await adapters.adapterOf(model).find(gone.id)).toBeUndefined()
    expect(await adapters.adapterOf(model).find(otherGrant.id)).toBeDefined()
    for (const name of neighbours) expect(await adapters.adapterOf(name).find(`by-${gone.id}`), name).toBeDefined()
  })

  test('a backchannel authentication request is answered once, also by many at once, and never after its end', async () => {
    const model = 'BackchannelAuthenticationRequest'
    const { id, payload } = freshArtifact(model)
    await adapters.adapterOf(model).upsert(id, payload, 60)
    const processes = [adapters.adapterOf, adapters.process()]
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, async (_, index) =>
        processes[index % 2]?.(model).upsert(
          id,
          { ...payload, ...(index < 5 ? { grantId: `grant-${index}` } : { error: 'access_denied' }) },
          60,
        ),
      ),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const held = await adapters.adapterOf(model).find(id)
    await expect(adapters.adapterOf(model).upsert(id, { ...payload, grantId: 'another' }, 60)).rejects.toMatchObject({
      name: 'AlreadyAnswered',
    })
    expect(await adapters.adapterOf(model).find(id)).toEqual(held)
    await adapters.adapterOf(model).destroy(id)
    await expect(adapters.adapterOf(model).upsert(id, { ...payload, grantId: 'another' }, 60)).rejects.toMatchObject({
      name: 'AlreadyAnswered',
    })
  })

  test('of two sessions with one uid the newer is found, with its own cookie value', async () => {
    const sessions = adapters.adapterOf('Session')
    const uid = 'one-uid-in-two-tabs'
    await sessions.upsert('older', { ...payloadOf('Session'), uid, jti: 'older' }, 100)
    await sessions.upsert('newer', { ...payloadOf('Session'), uid, jti: 'newer' }, 200)
    expect(await sessions.findByUid(uid)).toMatchObject({ jti: 'newer', uid })
    await sessions.destroy('newer')
    expect(await sessions.findByUid(uid)).toMatchObject({ jti: 'older' })
    expect(await sessions.findByUid('unknown')).toBeUndefined()
    clock.seconds += 100 + EXPIRY_GRACE_SECONDS
    expect(await sessions.findByUid(uid)).toBeUndefined()
    clock.seconds -= 100 + EXPIRY_GRACE_SECONDS
  })

  test('a user code finds its device code, and never two: the second is refused and changes nothing', async () => {
    const codes = adapters.adapterOf('DeviceCode')
    await codes.upsert('first-device', { ...payloadOf('DeviceCode'), jti: 'first-device', userCode: 'BDWPHQPK' }, 60)
    await expect(
      codes.upsert('second-device', { ...payloadOf('DeviceCode'), userCode: 'BDWPHQPK' }, 60),
    ).rejects.toThrow(/unique/i)
    expect(await codes.findByUserCode('BDWPHQPK')).toMatchObject({ jti: 'first-device', userCode: 'BDWPHQPK' })
    expect(await codes.find('second-device')).toBeUndefined()
    expect(await codes.findByUserCode('BDWPHQPX')).toBeUndefined()
    // the library saves a device code again at every step of its flow
    await codes.upsert(
      'first-device',
      { ...payloadOf('DeviceCode'), jti: 'first-device', userCode: 'BDWPHQPK', accountId: 'ada' },
      60,
    )
    expect(await codes.findByUserCode('BDWPHQPK')).toMatchObject({ accountId: 'ada' })
  })

  test('A115 nothing in the table would be accepted by anybody', async () => {
    const canaries: string[] = []
    const canary = (kind: string): string => {
      canaries.push(`canary-${kind}-${randomBytes(16).toString('hex')}`)
      return canaries.at(-1) ?? ''
    }
    for (const model of MODELS) {
      const id = canary(model)
      await adapters.adapterOf(model).upsert(id, { ...payloadOf(model), jti: id }, 60)
    }
    const id = canary('interaction-id')
    const session = { uid: 'u', cookie: canary('session-cookie'), accountId: 'ada' }
    const interaction = {
      ...payloadOf('Interaction'),
      jti: id,
      session,
      deviceCode: canary('device-code'),
      parJti: canary('par'),
    }
    await adapters.adapterOf('Interaction').upsert(id, interaction, 60)
    const userCode = canary('user-code')
    await adapters.adapterOf('DeviceCode').upsert(canary('device'), { ...payloadOf('DeviceCode'), userCode }, 60)

    const dump = JSON.stringify(await adapters.rows())
    for (const text of canaries) {
      expect(dump).not.toContain(text)
      expect(dump).not.toContain(Buffer.from(text).toString('base64url').slice(2, -2))
    }
    expect(await adapters.adapterOf('Interaction').find(id)).toEqual(interaction)
  })

  test.each(['Session', 'Interaction', 'DeviceCode', 'BackchannelAuthenticationRequest'])(
    'a sealed %s that was copied to another row does not open',
    async (model) => {
      await adapters.adapterOf(model).upsert('sealed-of-ada', { ...payloadOf(model), accountId: 'ada' }, 60)
      await adapters.adapterOf(model).upsert('sealed-of-eve', { ...payloadOf(model), accountId: 'eve' }, 60)
      const { payload } = await adapters.rowOf(model, 'sealed-of-ada')
      const key = artifactKey(model, 'sealed-of-eve')
      await adapters.database.db.updateTable('artifacts').set({ payload }).where('id', '=', key).execute()
      await expect(adapters.adapterOf(model).find('sealed-of-eve')).rejects.toMatchObject({ code: 'configuration' })
      await adapters.adapterOf(model).destroy('sealed-of-eve')
    },
  )

  test('everything of a person, and of a client, ends in one call', async () => {
    for (const model of MODELS) {
      await adapters.adapterOf(model).upsert(
        `of-grace-${model}`,
        {
          ...payloadOf(model),
          accountId: 'grace',
          clientId: 'kept',
          session: { uid: 'u', cookie: 'c', accountId: 'grace' },
        },
        60,
      )
      await adapters
        .adapterOf(model)
        .upsert(
          `of-closed-${model}`,
          { ...payloadOf(model), accountId: 'kept', clientId: 'closed', params: { client_id: 'closed' } },
          60,
        )
    }
    await adapters.store.removeByAccount('grace')
    await adapters.store.removeByClient('closed')
    for (const model of MODELS) {
      expect(await adapters.adapterOf(model).find(`of-grace-${model}`), model).toBeUndefined()
      expect(await adapters.adapterOf(model).find(`of-closed-${model}`), model).toBeUndefined()
    }
  })

  test('a registration token is found while something can be registered with it, and never changed', async () => {
    const adapter = adapters.adapterOf('InitialAccessToken')
    const { token, value } = await adapters.registrationTokens.create({ expires: '60' })
    expect(await adapter.find(value)).toEqual({
      jti: value,
      kind: 'InitialAccessToken',
      iat: adapters.clock.seconds,
      exp: adapters.clock.seconds + 60,
    })
    expect(await adapter.find(token.id)).toBeUndefined()
    for (const change of [adapter.upsert(value, {}, 1), adapter.destroy(value)])
      await expect(change).rejects.toThrow('does not do this')
    await adapters.registrationTokens.revoke(token.id)
    expect(await adapter.find(value)).toBeUndefined()
  })

  test('a client is found while it is enabled, and the library neither uses it up nor revokes it', async () => {
    const adapter = adapters.adapterOf('Client')
    const { client, secret } = await adapters.clients.register({
      name: 'Reading list',
      type: 'web',
      redirect_uris: ['https://rp.example/cb'],
    })
    expect(await adapter.find(client.id)).toMatchObject({
      client_id: client.id,
      client_secret: secret,
      redirect_uris: ['https://rp.example/cb'],
    })
    expect(JSON.stringify(await adapters.database.db.selectFrom('clients').selectAll().execute())).not.toContain(secret)
    await adapters.clients.disable(client.id)
    expect(await adapter.find(client.id)).toBeUndefined()
    expect(await adapter.find('nobody')).toBeUndefined()
    for (const change of [adapter.consume('a'), adapter.revokeByGrantId('a')])
      await expect(change).rejects.toThrow('does not do this')
  })
})
