// What may be used once is used once, however many try at the same moment: one process on SQLite, two on PostgreSQL
// (a synchronous driver in one process hides the race). A new value that may be used once is a row of `values`.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createClient,
  createPerson,
  PASSWORD,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { asserted, createAssertingClient, newKeyPair, type AssertingClient } from '../support/assertion.ts'
import { answer, asked, pollFor } from '../support/backchannel.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { registering } from '../support/registration.ts'
import { startCluster } from '../support/processes.ts'
import {
  authorizeUrl,
  basic,
  codeFor,
  post,
  query,
  redeem,
  refresh,
  tokensFor,
  tokensIn,
  userinfo,
} from '../support/protocol.ts'

/** RACE_ROUNDS=200 is the full count. */
const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 5)
const PARALLEL = 20

interface World {
  readonly hosts: readonly TestApp[]
  readonly client: RegisteredClient
  /** A service with a key of its own. */
  readonly asserting: AssertingClient
  /** Signed in, so that a code costs one request. */
  readonly browser: BrowserSession
  close(): Promise<void>
}

/** What the server said to one use: what it gave, or the error it refused with. */
type Answer = { readonly gave: string } | { readonly refused: string | null }

interface SingleUse {
  readonly name: string
  readonly window: number
  /** Makes a fresh value and gives the way to use it at a host. */
  make(world: World, first: TestApp): Promise<(host: TestApp) => Promise<Answer>>
  /** How the losers are refused; undefined where all get the one answer. */
  readonly losers: string | undefined
  /** Whether what was given lives on after the race. */
  lives(world: World, gave: string): Promise<boolean>
  readonly livesOn: boolean
}

const values: readonly SingleUse[] = [
  {
    name: 'A47 an authorization code',
    window: 10,
    async make(world, first) {
      const code = await codeFor(first, world.client, {}, world.browser)
      return async (host) => gaveTokens(await redeem(host, world.client, code), 'access_token')
    },
    losers: 'invalid_grant',
    lives: async ({ hosts }, token) => (await userinfo(hostIn(hosts, 1), token)).status === 200,
    livesOn: false, // RFC 6749 §4.1.2: a code used twice ends its tokens
  },
  {
    name: 'A51 a refresh token inside its window',
    window: 10,
    make: refreshing,
    losers: undefined,
    lives: refreshesOnce,
    livesOn: true,
  },
  {
    name: 'A51 a refresh token without a window',
    window: 0,
    make: refreshing,
    losers: 'invalid_grant',
    lives: refreshesOnce,
    livesOn: false,
  },
  {
    name: 'A13 a pushed authorization request',
    window: 10,
    async make({ client, browser }, first) {
      const pushed = Object.fromEntries(new URL(authorizeUrl(first, client)).searchParams)
      const { json } = await post(`${first.issuer}/par`, pushed, basic(client))
      const url = `/authorize?${query({ client_id: client.client.id, request_uri: String(json['request_uri']) })}`
      return async (host) => {
        const page = await browser.request(`${host.issuer}${url}`)
        const location = URL.parse(page.headers.get('location') ?? '')
        const code = location?.searchParams.get('code')
        return code
          ? { gave: code }
          : { refused: location?.searchParams.get('error') ?? /data-error="(\w+)"/.exec(page.body)?.[1] ?? null }
      }
    },
    losers: 'invalid_request_uri',
    lives: async ({ hosts, client }, code) => (await redeem(hostIn(hosts, 0), client, code)).status === 200,
    livesOn: true,
  },
  {
    name: 'A72 a device code',
    window: 10,
    async make({ client, browser }, first) {
      const { deviceCode, complete } = await authorizeDevice(first, client)
      await browser.submit(await browser.open(complete), { confirm: 'yes' })
      return async (host) => gaveTokens(await pollDevice(host, client, deviceCode), 'access_token')
    },
    losers: 'invalid_grant',
    lives: async ({ hosts }, token) => (await userinfo(hostIn(hosts, 1), token)).status === 200,
    livesOn: false,
  },
  {
    name: 'a backchannel authentication request',
    window: 10,
    async make({ client, browser }, first) {
      const authReqId = await asked(first, client)
      await answer(first, browser, authReqId)
      return async (host) => gaveTokens(await pollFor(host, client, authReqId), 'access_token')
    },
    losers: 'invalid_grant',
    lives: async ({ hosts }, token) => (await userinfo(hostIn(hosts, 1), token)).status === 200,
    livesOn: false,
  },
  {
    name: 'A56 a client assertion',
    window: 10,
    async make({ asserting }) {
      const assertion = await asserting.assertion({})
      return async (host) => gaveTokens(await asserted(host, assertion), 'access_token')
    },
    losers: 'invalid_client',
    async lives({ hosts, asserting }, token) {
      const assertion = await asserting.assertion({})
      return (await asserted(hostIn(hosts, 1), assertion, { token }, '/introspect')).json['active'] === true
    },
    livesOn: true,
  },
  {
    name: 'A76 a registration token for one client',
    window: 10,
    async make({ hosts }) {
      const { value } = await hostIn(hosts, 0).services.registrationTokens.create({ uses: 1 })
      return async (host) => {
        const { status, json } = await registering(() => host.issuer).register({ redirect_uris: [REDIRECT_URI] }, value)
        return status === 201 ? { gave: String(json['client_id']) } : { refused: String(json['error']) }
      }
    },
    losers: 'invalid_token',
    lives: async ({ hosts }, id) => (await hostIn(hosts, 1).services.clients.find(id)) !== undefined,
    livesOn: true,
  },
]

const kinds = databases.flatMap((kind) =>
  [...new Set(values.map(({ window }) => window))].map((window) => ({ kind, window })),
)

describe.each(kinds)('with a window of $window s on $kind.name', ({ kind, window }) => {
  let world: World

  beforeAll(async () => {
    const settings = { REGISTRATION: 'token', TOKENS_REFRESH_REUSE_SECONDS: String(window) }
    const cluster =
      kind.name === 'sqlite'
        ? await oneProcess(() => startApp(kind, { settings }))
        : await startCluster(kind, 2, settings)
    const host = hostIn(cluster.hosts, 0)
    await createPerson(host.services)
    const client = await createClient(host.services, {
      first_party: true,
      refresh_tokens: 'always',
      device_flow: true,
      ciba: 'poll',
    })
    const browser = browserSession(host.issuer)
    await browser.submit(await browser.open(authorizeUrl(host, client)), { username: 'ada', password: PASSWORD })
    const asserting = await createAssertingClient(host, await newKeyPair())
    world = { hosts: cluster.hosts, client, asserting, browser, close: () => cluster.close() }
  })
  afterAll(() => world.close())

  test.each(values.filter((value) => value.window === window))(
    `$name is used once by ${PARALLEL} at the same moment`,
    async (value) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const use = await value.make(world, hostIn(world.hosts, 0))
        const answers = await Promise.all(
          Array.from({ length: PARALLEL }, (_, index) => use(hostIn(world.hosts, index))),
        )
        const given = answers.flatMap((answer) => ('gave' in answer ? [answer.gave] : []))
        const refused = answers.flatMap((answer) => ('refused' in answer ? [answer.refused] : []))
        expect(new Set(given).size, JSON.stringify(answers)).toBe(1)
        expect({ given: given.length, refused: [...new Set(refused)] }).toEqual(
          value.losers === undefined ? { given: PARALLEL, refused: [] } : { given: 1, refused: [value.losers] },
        )
        expect(await value.lives(world, given[0] ?? '')).toBe(value.livesOn)
      }
    },
    60_000 + ROUNDS * 2_000,
  )
})

/** A refresh token of a fresh grant, and its use. */
async function refreshing(world: World, first: TestApp): Promise<(host: TestApp) => Promise<Answer>> {
  const { refreshToken } = await tokensFor(first, world.client, {}, world.browser)
  return async (host) => gaveTokens(await refresh(host, world.client, refreshToken), 'refresh_token')
}

async function refreshesOnce({ hosts, client }: World, token: string): Promise<boolean> {
  const answer = await refresh(hostIn(hosts, 1), client, token)
  return answer.status === 200 && tokensIn(answer).refreshToken !== token
}

function gaveTokens(
  { status, json, body }: { status: number; json: Readonly<Record<string, unknown>>; body: string },
  member: string,
): Answer {
  if (status === 200) return { gave: String(json[member]) }
  return { refused: status === 400 || status === 401 ? String(json['error']) : `${status} ${body}` }
}

async function oneProcess(
  start: () => Promise<TestApp>,
): Promise<{ hosts: readonly TestApp[]; close(): Promise<void> }> {
  const app = await start()
  return { hosts: [app], close: app.close }
}

/** The hosts in turn. */
function hostIn(hosts: readonly TestApp[], index: number): TestApp {
  const host = hosts[index % hosts.length]
  if (!host) throw new Error('no host was started')
  return host
}
