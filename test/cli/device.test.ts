// `latchkey client … --device-flow` as a script calls it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import type { Services } from '#core/services.ts'
import { clients } from '#features/clients/index.ts'
import { runCommandLine } from '#platform/cli.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { captureTerminal } from '../support/terminal.ts'

const [sqlite] = databases

describe('latchkey client and the device flow', () => {
  let app: TestApp

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
  })
  afterAll(() => app.close())

  async function latchkey(...argv: string[]) {
    const { terminal, stdout, stderr } = captureTerminal()
    const withNeeds = <T>(run: (given: Services) => Promise<T>) => run(app.services)
    const exit = await runCommandLine({ groups: clients.commands ?? [], terminal, withNeeds }, ['client', ...argv])
    return { exit, stdout: stdout(), stderr: stderr() }
  }

  test('registers a device without a redirect URI, shows it, and takes the flow away again', async () => {
    const { exit, stdout } = await latchkey('create', '--name', 'TV', '--type', 'native', '--device-flow', '--json')
    expect(exit).toBe(0)
    const made: unknown = JSON.parse(stdout)
    expect(made).toMatchObject({ grant_types: ['refresh_token', DEVICE_GRANT], response_types: [], redirect_uris: [] })

    const said = await latchkey('create', '--name', 'Clock', '--type', 'native', '--device-flow')
    expect(said.stdout).toMatch(/Next: give the client id and the discovery address to the application\.$/m)

    const [client] = (await app.services.clients.list({ limit: 1 })).items
    const id = client?.id ?? ''
    expect((await latchkey('show', id)).stdout).toMatch(/device flow +yes/)
    const bare = await latchkey('update', id, '--no-device-flow')
    expect([bare.exit, bare.stderr]).toEqual([1, expect.stringContaining('redirect URI, or the device flow')])
    const both = await latchkey('update', id, '--redirect-uri', 'com.example.tv:/cb', '--json')
    expect(JSON.parse(both.stdout)).toMatchObject({
      grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
      response_types: ['code'],
    })
    const without = await latchkey('update', id, '--no-device-flow', '--json')
    expect(JSON.parse(without.stdout)).toMatchObject({ grant_types: ['authorization_code', 'refresh_token'] })
    expect((await latchkey('show', id)).stdout).not.toContain('device flow')
  })

  test('refuses it to a client that is itself a browser', async () => {
    const spa = ['--name', 'App', '--type', 'spa', '--redirect-uri', 'https://app.example/cb']
    const { exit, stderr } = await latchkey('create', ...spa, '--device-flow')
    expect([exit, stderr]).toEqual([1, expect.stringContaining('A spa client has authorization_code')])
  })
})
