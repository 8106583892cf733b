// F36: the same odd requests to a server on each database. None of them is our fault (5xx), none gets to see our inside,
// and which database it is makes no difference. `npm run fuzz -- --runs 100000 --seed 7` goes on for longer.
import { Agent, request as httpRequest } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, hiddenFields } from '../support/browser-session.ts'
import { databases, type DatabaseKind } from '../support/databases.ts'
import { authorizeUrl, bystander, codeFor, send, tokensFor } from '../support/protocol.ts'
import { oddRequests, type OddRequest } from './requests.ts'
import { HELD, PAGES, type Held } from './words.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300)
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_122)

interface Guest {
  readonly app: TestApp
  readonly stillWorks: () => Promise<void>
  /** Made anew from time to time, since odd requests end what they use. */
  holds: Readonly<Record<Held | 'cookies', string>>
  renew(): Promise<void>
}

async function openGuest(kind: DatabaseKind): Promise<Guest> {
  const app = await startApp(kind, { settings: { TRUSTED_PROXIES: '127.0.0.0/8,::1', REGISTRATION: 'open' } })
  await createPerson(app.services)
  const clients: Clients = {
    web: await createClient(app.services, { first_party: true, refresh_tokens: 'always' }),
    service: await createClient(app.services, { type: 'service', redirect_uris: [] }),
    spa: await createClient(app.services, { type: 'spa' }),
    device: await createClient(app.services, { type: 'native', redirect_uris: [], device_flow: true }),
  }
  const guest: Guest = {
    app,
    stillWorks: await bystander(app),
    holds: await holdings(app, clients),
    async renew() {
      guest.holds = await holdings(app, clients)
    },
  }
  return guest
}

type Clients = Readonly<Record<'web' | 'service' | 'spa' | 'device', RegisteredClient>>

async function holdings(app: TestApp, { web, service, spa, device }: Clients): Promise<Guest['holds']> {
  const tokens = await tokensFor(app, web)
  const browser = browserSession(app.issuer)
  const page = await browser.open(authorizeUrl(app, web))
  const registered = await send(`${app.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://rp.example/callback'] }),
  })
  return {
    web: web.client.id,
    'web-secret': web.secret ?? '',
    service: service.client.id,
    'service-secret': service.secret ?? '',
    spa: spa.client.id,
    device: device.client.id,
    code: await codeFor(app, web),
    'access-token': tokens.accessToken,
    'refresh-token': tokens.refreshToken,
    'id-token': tokens.idToken,
    registered: String(registered.json['client_id']),
    'registration-token': String(registered.json['registration_access_token']),
    uid: new URL(page.url).pathname.split('/').at(-1) ?? '',
    csrf: hiddenFields(page.body)['csrf'] ?? '',
    issuer: app.issuer,
    cookies: [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; '),
  }
}

describe('requests that nobody of good will sends', () => {
  let guests: readonly Guest[]
  const agent = new Agent({ keepAlive: true })
  let played = 0

  beforeAll(async () => {
    guests = await Promise.all(databases.map(openGuest))
  })
  afterAll(async () => {
    agent.destroy()
    await Promise.all(guests.map(({ app }) => app.close()))
  })

  test(
    'F36 never break the server, tell of its inside, or depend on the database',
    async () => {
      const paths = [...PAGES, ...(await endpointsOf(guests[0]))]
      await fc.assert(
        fc.asyncProperty(oddRequests(paths), async (odd) => {
          played += 1
          if (played % 250 === 0) for (const guest of guests) await guest.renew()
          // one address each: limits are a matter of other tests
          const from = `198.18.${(played >> 8) & 255}.${played & 255}`
          const answers = await Promise.all(guests.map((guest) => play(agent, guest, odd, from)))
          for (const { status, text } of answers) {
            expect(status).toBeLessThan(500)
            expect(text).not.toMatch(
              /\n\s+at |node_modules|\/src\/|\.ts:\d|SQLITE|\bselect .* from\b|syntax error at|relation "/i,
            )
          }
          const [first, ...others] = answers.map(({ told }) => told)
          for (const other of others) expect(other).toEqual(first)
        }),
        { numRuns: RUNS, seed: SEED },
      )
      for (const { stillWorks } of guests) await stillWorks()
    },
    60_000 + RUNS * 50,
  )
})

interface Told {
  readonly status: number
  readonly text: string
  /** What has to be the same whatever the database. */
  readonly told: unknown
}

function play(agent: Agent, { app, holds }: Guest, odd: OddRequest, from: string): Promise<Told> {
  const own = (text: string): string =>
    [...HELD, 'cookies' as const].reduce((filled, name) => filled.replaceAll(`‹${name}›`, holds[name]), text)
  const { hostname, port } = new URL(app.issuer)
  const headers = Object.fromEntries(Object.entries(odd.headers).map(([name, text]) => [name, own(text)]))
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      {
        agent,
        hostname,
        port,
        method: odd.method,
        // what is left of a placeholder that was cut cannot be sent
        path: own(odd.target).replaceAll(/[^\u0021-\u00ff]/g, ''),
        headers: { ...headers, 'x-forwarded-for': from },
      },
      (res) => {
        let text = ''
        res.setEncoding('utf8')
        res.on('data', (chunk: string) => (text += chunk))
        res.on('end', () => resolve({ status: res.statusCode ?? 0, text, told: told(res, text) }))
        res.on('error', reject)
      },
    )
    req.on('error', reject)
    req.end(odd.body === undefined ? undefined : own(odd.body))
  })
}

interface Head {
  readonly statusCode?: number | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

const errorShape = z.object({ error: z.string().optional(), error_description: z.string().optional() })

/** Status, type, error and where to; nothing that each server makes anew. */
function told({ statusCode, headers }: Head, text: string): unknown {
  const type = headers['content-type']
  const location = typeof headers['location'] === 'string' ? new URL(headers['location'], 'http://here') : undefined
  return {
    status: statusCode,
    type,
    error: /data-error="([^"]*)"/.exec(text)?.[1] ?? (String(type).startsWith('application/json') ? errorIn(text) : ''),
    to: location && [location.pathname.replace(/\/[\w-]{20,}$/, '/:id'), location.searchParams.get('error')],
  }
}

function errorIn(text: string): unknown {
  const parsed = errorShape.safeParse(
    text === '' ? {} : JSON.parse(text.replaceAll(/[\w-]{20,}/g, ':id').replaceAll(/localhost:\d{2,}/g, ':host')),
  )
  return parsed.success ? parsed.data : ''
}

async function endpointsOf(guest: Guest | undefined): Promise<string[]> {
  const { json } = await send(`${guest?.app.issuer}/.well-known/openid-configuration`)
  return Object.entries(json).flatMap(([name, url]) =>
    name.endsWith('_endpoint') || name === 'jwks_uri' ? [new URL(String(url)).pathname] : [],
  )
}
