import { generateKeyPairSync, randomBytes } from 'node:crypto'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createClients, type Clients } from '#core/clients/clients.ts'
import { createSecrets } from '#core/secrets.ts'
import type { Services } from '#core/services.ts'
import type { Tables } from '#core/tables.ts'
import { clients as feature } from '#features/clients/index.ts'
import { runCommandLine } from '#platform/cli.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase, type Database } from '#platform/database/open.ts'
import { auditOn } from '../support/audit.ts'
import { captureTerminal } from '../support/terminal.ts'

const made = z.looseObject({ client_id: z.string(), client_secret: z.string().optional() })

describe('latchkey client rotate-secret', () => {
  let database: Database<Tables>
  let clients: Clients

  beforeAll(async () => {
    database = openDatabase<Tables>('sqlite::memory:', () => {})
    await migrate(database, path.join(import.meta.dirname, '../../migrations'))
    clients = createClients({
      audit: auditOn(database),
      database,
      secrets: createSecrets([randomBytes(32)]),
      clock: { now: () => 1_800_000_000 },
      metadataValidator: async () => async () => {},
      enableSigningKeys: async () => {},
    })
  })
  afterAll(() => database.close())

  async function latchkey(argv: readonly string[], stdin?: string) {
    const captured = captureTerminal(stdin === undefined ? {} : { stdin })
    // boundary: these commands are given what they use of the services, and no more
    const needs = { clients, settings: { issuer: 'https://id.example' } } as Services
    const line = {
      groups: feature.commands ?? [],
      terminal: captured.terminal,
      withNeeds: <T>(run: (given: Services) => Promise<T>) => run(needs),
    }
    const exit = await runCommandLine(line, ['client', ...argv])
    const [stdout, stderr] = [captured.stdout(), captured.stderr()]
    return { exit, stdout, stderr, json: () => made.parse(JSON.parse(stdout)) }
  }
  const created = async (stdin = '{}') =>
    (await latchkey(['create', '--name', 'Job', '--type', 'service', '--metadata', '-', '--json'], stdin)).json()
  const shown = async (id: string) => (await latchkey(['show', id, '--json'])).json()

  test('lets the old secret hold for the overlap, and tells until when', async () => {
    const { client_id: id, client_secret: old = 'missing' } = await created()
    const rotated = await latchkey(['rotate-secret', id, '--overlap', '3600', '--json'])
    expect(rotated.json()).toMatchObject({ previous_secret_expires_at: 1_800_003_600 })
    expect(await shown(id)).toMatchObject({ previous_secret_expires_at: 1_800_003_600 })
    expect(rotated.stdout + (await latchkey(['show', id])).stdout).not.toContain(old)
    expect((await latchkey(['show', id])).stdout).toMatch(/old secret until +2027-01-15 09:00:00 UTC/)
    const again = await latchkey(['rotate-secret', id, '--overlap', '60'])
    expect(again.stdout).toContain('the old one authenticates until 2027-01-15 08:01:00 UTC')
    expect((await latchkey(['rotate-secret', id])).stdout).toContain('worth nothing')
    expect(await shown(id)).not.toHaveProperty('previous_secret_expires_at')
    for (const overlap of ['2592001', '-5', 'soon', '1.5', '']) {
      const { exit, stderr } = await latchkey(['rotate-secret', id, `--overlap=${overlap}`])
      expect([overlap, exit]).toEqual([overlap, 1])
      expect(stderr).toMatch(/30 days/)
    }
  })

  test('is refused to a client with keys of its own, which gets no secret and is told so', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwks = { keys: [publicKey.export({ format: 'jwk' })] }
    const metadata = JSON.stringify({ token_endpoint_auth_method: 'private_key_jwt', jwks })
    const client = await created(metadata)
    expect(client).not.toHaveProperty('client_secret')
    expect(client).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', jwks })
    const { exit, stderr } = await latchkey(['rotate-secret', client.client_id])
    expect([exit, stderr]).toEqual([1, expect.stringContaining('A client with private_key_jwt has no secret.')])
    const told = await latchkey(['create', '--name', 'Job', '--type', 'service', '--metadata', '-'], metadata)
    expect(told.stdout).toContain('it proves itself with a key of its own.')
  })
})
