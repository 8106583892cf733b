// The `client` commands on a database of their own, run in the test's process.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { z } from 'zod'
import { MIGRATIONS } from '#app/services.ts'
import { createClients, type Clients } from '#core/clients/clients.ts'
import { createSecrets } from '#core/secrets.ts'
import type { Services } from '#core/services.ts'
import type { Tables } from '#core/tables.ts'
import { clients as feature } from '#features/clients/index.ts'
import { runCommandLine } from '#platform/cli.ts'
import { migrate } from '#platform/database/migrate.ts'
import { openDatabase } from '#platform/database/open.ts'
import { auditOn } from './audit.ts'
import { captureTerminal, type TerminalScript } from './terminal.ts'

export const CALLBACK = 'https://app.example/callback'
export const made = z.looseObject({ client_id: z.string(), client_secret: z.string().optional() })

export interface ClientAnswer {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  json(): z.output<typeof made>
}

export interface ClientCommands {
  readonly clients: Clients
  /** The folder that the caller stands in. */
  readonly folder: string
  /** Runs `latchkey client …` as a script does. */
  latchkey(argv: readonly string[], script?: TerminalScript): Promise<ClientAnswer>
  /** Registers a web client with CALLBACK and these options besides. */
  created(...argv: string[]): Promise<z.output<typeof made>>
  shown(id: string): Promise<z.output<typeof made>>
  close(): Promise<void>
}

export async function openClientCommands(): Promise<ClientCommands> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-client-'))
  const database = openDatabase<Tables>('sqlite::memory:', () => {})
  await migrate(database, MIGRATIONS)
  await database.db.insertInto('groups').values({ id: 'id-staff', name: 'staff', created_at: 1 }).execute()
  const clients = createClients({
    audit: auditOn(database),
    database,
    secrets: createSecrets([randomBytes(32)]),
    clock: { now: () => 1_800_000_000 },
    metadataValidator: async () => async () => {},
    enableSigningKeys: async () => {},
  })

  const latchkey: ClientCommands['latchkey'] = async (argv, script = {}) => {
    const captured = captureTerminal({ callerDir: folder, ...script })
    // boundary: these commands are given what they use of the services, and no more
    const needs = { clients, settings: { issuer: 'https://id.example' } } as Services
    const line = {
      groups: feature.commands ?? [],
      terminal: captured.terminal,
      withNeeds: <T>(run: (given: Services) => Promise<T>) => run(needs),
    }
    const exit = await runCommandLine(line, ['client', ...argv])
    return {
      exit,
      stdout: captured.stdout(),
      stderr: captured.stderr(),
      json: () => made.parse(JSON.parse(captured.stdout())),
    }
  }

  return {
    clients,
    folder,
    latchkey,
    async created(...argv) {
      const answer = await latchkey(['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--json', ...argv])
      expect([answer.exit, answer.stderr]).toEqual([0, ''])
      return answer.json()
    },
    shown: async (id) => (await latchkey(['show', id, '--json'])).json(),
    async close() {
      await database.close()
      rmSync(folder, { recursive: true })
    },
  }
}
