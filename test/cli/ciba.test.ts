// `latchkey client … --ciba` as a script calls it, judged by the protocol library too.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import type { Services } from '#core/services.ts'
import { clients } from '#features/clients/index.ts'
import { runCommandLine } from '#platform/cli.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { captureTerminal } from '../support/terminal.ts'

describe('latchkey client and backchannel authentication', () => {
  let app: TestApp

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
  })
  afterAll(() => app.close())

  async function latchkey(argv: readonly string[], metadata?: object) {
    const { terminal, stdout, stderr } = captureTerminal(metadata ? { stdin: JSON.stringify(metadata) } : {})
    const withNeeds = <T>(run: (given: Services) => Promise<T>) => run(app.services)
    const exit = await runCommandLine({ groups: clients.commands ?? [], terminal, withNeeds }, ['client', ...argv])
    return { exit, stdout: stdout(), stderr: stderr() }
  }

  test('registers a client that polls, makes it one that is pinged, and takes it all away', async () => {
    const { exit, stdout } = await latchkey(['create', '--name', 'Till', '--ciba', 'poll', '--json'])
    expect(exit).toBe(0)
    const made: unknown = JSON.parse(stdout)
    expect(made).toMatchObject({
      grant_types: ['refresh_token', CIBA_GRANT],
      backchannel_token_delivery_mode: 'poll',
      redirect_uris: [],
    })
    const [client] = (await app.services.clients.list({ limit: 1 })).items
    const id = client?.id ?? ''
    expect((await latchkey(['show', id])).stdout).toMatch(/CIBA +poll/)

    const endpoint = { backchannel_client_notification_endpoint: 'https://till.example/ciba' }
    const pinged = await latchkey(['update', id, '--ciba', 'ping', '--metadata', '-', '--json'], endpoint)
    expect(JSON.parse(pinged.stdout)).toMatchObject({ backchannel_token_delivery_mode: 'ping', ...endpoint })
    const bare = await latchkey(['update', id, '--no-ciba'])
    expect([bare.exit, bare.stderr]).toEqual([1, expect.stringContaining('at least one redirect URI')])
    const without = await latchkey(['update', id, '--no-ciba', '--redirect-uri', 'https://till.example/cb', '--json'])
    expect(JSON.parse(without.stdout)).toMatchObject({ grant_types: ['authorization_code', 'refresh_token'] })
    expect(without.stdout).not.toContain('backchannel_')
  })

  test('registers signed requests for a client with keys, and no algorithm of a secret', async () => {
    const create = ['create', '--name', 'Till', '--ciba', 'poll', '--metadata', '-', '--json']
    const jwks_uri = 'https://till.example/jwks.json'
    const signed = { jwks_uri, backchannel_authentication_request_signing_alg: 'ES256' }
    expect(JSON.parse((await latchkey(create, signed)).stdout)).toMatchObject(signed)
    const shared = await latchkey(create, { backchannel_authentication_request_signing_alg: 'HS256' })
    expect([shared.exit, shared.stderr]).toEqual([1, expect.stringContaining('backchannel_authentication_request')])
  })

  test('refuses push, and a client that keeps no secret', async () => {
    const pushed = await latchkey(['create', '--name', 'Till', '--ciba', 'push'])
    expect([pushed.exit, pushed.stderr]).toEqual([1, expect.stringContaining('push, where tokens come unasked')])
    const spa = await latchkey(['create', '--name', 'Till', '--type', 'spa', '--ciba', 'poll'])
    expect([spa.exit, spa.stderr]).toEqual([1, expect.stringContaining('A spa client has authorization_code')])
  })
})
