// What a person allowed is remembered, whoever else is writing. (What a kill leaves is for test/torture.)
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Consent } from '#core/consents/store.ts'
import { createClient, createPerson, startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'

describe.each(databases)('consents on $name', (kind) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp(kind)
  })
  afterAll(() => app.close())

  const give = (accountId: string, clientId: string, consent: Consent): Promise<void> =>
    app.services.consents.give({ accountId, clientId, consent, remembered: true, by: { kind: 'person' } })

  test('of many that are given at the same moment all are remembered', async () => {
    const { id: account } = await createPerson(app.services)
    const { client } = await createClient(app.services)
    const scopes = Array.from({ length: 12 }, (_, index) => `scope-${String(index).padStart(2, '0')}`)
    await Promise.all(
      scopes.map((scope, index) => {
        const consent = { scopes: [scope], claims: [`claim-of-${scope}`], resources: {} }
        return index % 2 === 0
          ? app.services.consents.remember(account, client.id, consent)
          : give(account, client.id, consent)
      }),
    )
    expect(await app.services.consents.find(account, client.id)).toEqual({
      scopes,
      claims: scopes.map((scope) => `claim-of-${scope}`),
      resources: {},
    })
    await app.services.consents.forget(account, client.id)
    expect(await app.services.consents.find(account, client.id)).toBeUndefined()
  })

  test('of a person who was deleted in that moment is refused in words, and leaves nothing', async () => {
    const { id: account } = await createPerson(app.services, { username: 'grace', email: 'grace@example.org' })
    const { client } = await createClient(app.services)
    await app.services.accounts.remove(account)
    const consent = { scopes: ['openid'], claims: [], resources: {} }
    const refused = { code: 'expired', hint: expect.stringContaining('sign in again') }
    await expect(app.services.consents.remember(account, client.id, consent)).rejects.toMatchObject(refused)
    await expect(give(account, client.id, consent)).rejects.toMatchObject(refused)
    expect(await app.services.consents.find(account, client.id)).toBeUndefined()
  })
})
