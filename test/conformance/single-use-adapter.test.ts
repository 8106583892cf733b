// What may be used once, at the adapter: one conditional write decides, whichever process and whatever its clock says.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  CONSUMABLE,
  freshArtifact,
  OF_A_GRANT,
  openAdapters,
  payloadOf,
  saveWithGrant,
  WINDOW,
  type Adapters,
} from '../support/adapters.ts'
import { databases } from '../support/databases.ts'

describe.each(databases)('single use in the adapter on $name', (database) => {
  let adapters: Adapters
  let clock: Adapters['clock']

  beforeAll(async () => {
    adapters = await openAdapters(database)
    clock = adapters.clock
  })
  afterAll(() => adapters.close())

  test.each(CONSUMABLE)('a used %s stays used when it is saved again', async (model) => {
    const { id, payload } = freshArtifact(model)
    await adapters.adapterOf(model).upsert(id, payload, 600)
    await adapters.adapterOf(model).consume(id)
    const usedAt = clock.seconds
    clock.seconds += WINDOW
    await adapters.adapterOf(model).upsert(id, payload, 600)
    expect(await adapters.adapterOf(model).find(id)).toEqual({ ...payload, consumed: usedAt })
    clock.seconds = usedAt
  })

  test.each(CONSUMABLE.filter((model) => model !== 'RefreshToken'))(
    'of twenty uses of a %s by four processes at once one succeeds',
    async (model) => {
      const { id, payload } = freshArtifact(model)
      await adapters.adapterOf(model).upsert(id, payload, 600)
      const processes = [adapters.adapterOf, adapters.process(), adapters.process(2), adapters.process(-2)]
      const uses = Array.from({ length: 20 }, async (_, index) =>
        processes[index % processes.length]?.(model).consume(id),
      )
      const outcomes = await Promise.allSettled(uses)
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      expect(refused).toHaveLength(19)
      const error = model === 'PushedAuthorizationRequest' ? 'invalid_request_uri' : 'invalid_grant'
      for (const reason of refused) expect(reason).toMatchObject({ error })
    },
  )

  test('of twenty processes that note the same jti at once one succeeds', async () => {
    const processes = [adapters.adapterOf, adapters.process(), adapters.process(2), adapters.process(-2)]
    const payload = payloadOf('ReplayDetection')
    const notes = Array.from({ length: 20 }, async (_, index) =>
      processes[index % processes.length]?.('ReplayDetection').upsert('one-jti', { ...payload, jti: 'one-jti' }, 60),
    )
    const refused = (await Promise.allSettled(notes)).filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(19)
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: { name: 'AlreadyUsed' } })
  })

  test('a used code does not look new to a host whose clock is behind', async () => {
    const payload = { ...payloadOf('AuthorizationCode'), grantId: 'grant-behind' }
    await adapters.adapterOf('AuthorizationCode').upsert('behind', payload, 60)
    await adapters.adapterOf('AuthorizationCode').consume('behind')
    const late = adapters.process(5)('AuthorizationCode')
    expect(await late.find('behind')).toMatchObject({ consumed: clock.seconds })
    await expect(late.consume('behind')).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('a second use ends the grant and all that came of it, and nothing of another grant', async () => {
    const grant = 'grant-of-a-code-used-twice'
    await adapters.adapterOf('Grant').upsert(grant, payloadOf('Grant'), 60)
    for (const model of OF_A_GRANT) await saveWithGrant(adapters.adapterOf, model, `twice-${model}`, grant)
    await adapters
      .adapterOf('AccessToken')
      .upsert('of-another-grant', { ...payloadOf('AccessToken'), grantId: 'another' }, 60)
    await adapters.adapterOf('AuthorizationCode').consume('twice-AuthorizationCode')
    await expect(adapters.adapterOf('AuthorizationCode').consume('twice-AuthorizationCode')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    expect(await adapters.adapterOf('Grant').find(grant)).toBeUndefined()
    for (const model of OF_A_GRANT)
      expect(await adapters.adapterOf(model).find(`twice-${model}`), model).toBeUndefined()
    expect(await adapters.adapterOf('AccessToken').find('of-another-grant')).toBeDefined()
  })

  test('a refresh token may be used again inside its window and not after it', async () => {
    const [tokens, began] = [adapters.adapterOf('RefreshToken'), clock.seconds]
    await tokens.upsert('rotating', { ...payloadOf('RefreshToken'), grantId: 'rotating' }, 600)
    await tokens.consume('rotating')
    clock.seconds = began + WINDOW - 1
    expect(await tokens.find('rotating')).not.toHaveProperty('consumed')
    await tokens.consume('rotating')
    clock.seconds = began + WINDOW
    expect(await tokens.find('rotating')).toMatchObject({ consumed: began })
    await expect(tokens.consume('rotating')).rejects.toMatchObject({ error: 'invalid_grant' })
    clock.seconds = began
  })

  test('a refresh token that is saved twice stays as it was saved first', async () => {
    const tokens = adapters.adapterOf('RefreshToken')
    await tokens.upsert('successor', { ...payloadOf('RefreshToken'), scope: 'openid' }, 600)
    await tokens.upsert('successor', { ...payloadOf('RefreshToken'), scope: 'openid admin' }, 600)
    expect(await tokens.find('successor')).toMatchObject({ scope: 'openid' })
  })
})
