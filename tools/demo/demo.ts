/**
 * The demo: the server of `npm start` with a data folder of its own, a person and a client in it, and the sample
 * application beside it. Neither the environment's database nor `.env` is read, so that real data is never touched.
 */
import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import path from 'node:path'
import { loadConfig } from '#app/config.ts'
import { serve, type Running } from '#app/serve.ts'
import type { Client } from '#core/clients/client.ts'
import type { Services } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { relyingParty } from './relying-party.ts'

export const PERSON = { email: 'demo@example.com', password: 'the key is under the mat' } as const
const CLIENT_NAME = 'Sample application'
const HOST = '127.0.0.1'

export interface DemoOptions {
  /** Where database and keys are kept, absolute. */
  readonly folder: string
  readonly port: number
  /** The sample application takes the first free one of these. */
  readonly samplePorts: readonly number[]
  readonly log: { readonly level: string; readonly format: string }
}

export interface Demo extends Running {
  readonly issuer: string
  readonly sample: string
}

/**
 * Starts both. Person and client are made once and found again in later runs.
 * @throws AppError(configuration) where a port is taken or the folder cannot be used
 */
export async function startDemo({ folder, port, samplePorts, log }: DemoOptions): Promise<Demo> {
  mkdirSync(folder, { recursive: true })
  const issuer = `http://localhost:${port}`
  const settings = {
    ISSUER: issuer,
    HOST,
    PORT: String(port),
    DATABASE_URL: `sqlite:${path.join(folder, 'latchkey.db')}`,
    KEYS_DIR: path.join(folder, 'keys'),
    LOG_LEVEL: log.level,
    LOG_FORMAT: log.format,
  }
  const running = await serve(loadConfig(settings, folder))
  try {
    const { server, port: samplePort } = await firstFree(samplePorts)
    const sample = `http://localhost:${samplePort}`
    await ensurePerson(running.services)
    const { id, secret = '' } = await ensureClient(running.services, sample)
    server.on('request', await relyingParty({ issuer, clientId: id, clientSecret: secret, origin: sample }))
    return { ...running, issuer, sample, stop: () => stopBoth(server, running) }
  } catch (error) {
    await running.stop()
    throw error
  }
}

/** Whose wrong passwords the demo's own would be. */
const HERE = { request: { id: 'demo', clientAddress: 'demo' }, knownBrowser: undefined }

async function ensurePerson({ accounts }: Services): Promise<void> {
  const { email, password } = PERSON
  const known = await accounts.find(email)
  if (!known) {
    await accounts.create(
      { email, email_verified: true, username: 'demo', given_name: 'Demo', family_name: 'Person' },
      password,
    )
  } else if (!(await accounts.authenticate(email, password, HERE))) {
    // somebody tried `latchkey user disable` or set-password on the demo: what it prints has to work again
    await accounts.enable(known.id)
    await accounts.setPassword(known.id, password)
  }
}

/** The client keeps its id and secret; its addresses follow the port that the sample application got. */
async function ensureClient({ clients }: Services, sample: string): Promise<Client> {
  const addresses = { redirect_uris: [`${sample}/callback`], post_logout_redirect_uris: [`${sample}/`] }
  const { items } = await clients.list({ limit: 100 })
  const known = items.find(({ name }) => name === CLIENT_NAME)
  if (!known) return (await clients.register({ name: CLIENT_NAME, type: 'web', ...addresses })).client
  if (known.disabled) await clients.enable(known.id)
  return clients.update(known.id, addresses)
}

async function firstFree(ports: readonly number[]): Promise<{ server: Server; port: number }> {
  for (const port of ports) {
    const server = createServer()
    if (await listens(server, port)) return { server, port }
  }
  const tried = ports.length === 1 ? `Port ${ports[0]} is` : `The ports ${ports[0]} to ${ports.at(-1)} are all`
  throw new AppError('configuration', `${tried} taken by other programs, and the sample application needs one.`, {
    hint: 'Stop one of them, or set SAMPLE_PORT to a port that is free.',
  })
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => resolve(true))
  })
}

async function stopBoth(server: Server, running: Running): Promise<void> {
  server.close()
  server.closeAllConnections()
  await running.stop()
}
