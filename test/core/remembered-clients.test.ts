// Clients that are remembered for a moment: what is shared, what ends it, and what is never kept.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { rememberClients } from '#core/clients/remembered-clients.ts'
import { SqliteHandle } from '#platform/database/dialects/sqlite-handle.ts'
import { databases } from '../support/databases.ts'
import { servicesOn, type TestServices } from '../support/services.ts'

const WEB = { name: 'Reading list', type: 'web', redirect_uris: ['http://localhost:9/callback'] }

describe.each(databases.slice(0, 1))('a remembered client on $name', (database) => {
  const clock = { seconds: 1_800_000_000 }
  let opened: TestServices
  beforeEach(async () => {
    opened = await servicesOn(database, { now: () => clock.seconds })
  })
  afterEach(() => opened.close())

  const twoProcesses = () => {
    const now = () => clock.seconds
    return [rememberClients(opened.services.clients, { now }), opened.services.clients] as const
  }

  test('is loaded once for requests at the same moment, and none of them can change it', async () => {
    const [here, there] = twoProcesses()
    const { client } = await there.register(WEB)
    const asked = vi.spyOn(SqliteHandle.prototype, 'execute')
    const found = await Promise.all([here.find(client.id), here.find(client.id), here.get(client.id)])
    expect(asked).toHaveBeenCalledTimes(1)
    asked.mockRestore()
    const [first] = found
    expect(() => Object.assign(first?.metadata ?? {}, { redirect_uris: [] })).toThrow(TypeError)
    expect(() => Object.assign(first?.metadata['redirect_uris'] ?? {}, { 0: 'https://elsewhere.example' })).toThrow(
      TypeError,
    )
    expect(await here.find(client.id)).toEqual(client)
  })

  test('is asked for anew once it was changed here, and soon after it was changed elsewhere', async () => {
    const [here, there] = twoProcesses()
    const { client } = await here.register(WEB)
    expect((await here.find(client.id))?.disabled).toBe(false)
    await here.disable(client.id)
    expect((await here.find(client.id))?.disabled).toBe(true)
    await there.enable(client.id)
    await sleep(600)
    expect((await here.find(client.id))?.disabled).toBe(false)
    await there.remove(client.id)
    clock.seconds += 1
    expect(await here.find(client.id)).toBeUndefined()
  })

  test('is not remembered to be missing', async () => {
    const [here, there] = twoProcesses()
    const { client } = await there.register(WEB)
    await there.remove(client.id)
    expect(await here.find(client.id)).toBeUndefined()
    await expect(here.get(client.id)).rejects.toThrow('There is no client')
  })
})
