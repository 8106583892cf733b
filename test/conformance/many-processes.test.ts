// Several processes on one PostgreSQL are one server: what is done through one of them, or beside them by a command,
// holds in each of them at once, and what one is told a restart does not forget. Their clocks differ by ten seconds (F18).
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, PASSWORD, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { patiently } from '../support/patience.ts'
import { startCluster, type Cluster } from '../support/processes.ts'
import { authorizeUrl, codeFor, redeem, refresh, send, tokensIn, userinfo, type Tokens } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

const SKEWED = pathToFileURL(path.join(import.meta.dirname, '../support/skewed-clock.mjs')).href

interface Guest {
  readonly username: string
  readonly accountId: string
  readonly client: RegisteredClient
  readonly browser: BrowserSession
  readonly tokens: Tokens
}

type Change = (services: Cluster['services'], guest: Guest, elsewhere: BrowserSession) => Promise<unknown>

const ends: readonly { readonly name: string; readonly change: Change }[] = [
  { name: 'a person who is disabled', change: ({ accounts }, { accountId }) => accounts.disable(accountId) },
  { name: 'a person who is signed out', change: ({ accounts }, { accountId }) => accounts.signOut(accountId) },
  { name: 'a person who is deleted', change: ({ accounts }, { accountId }) => accounts.remove(accountId) },
  {
    name: 'a person with a new password',
    change: ({ accounts }, { accountId }) => accounts.setPassword(accountId, 'another walk by the sea'),
  },
  { name: 'a client that is disabled', change: ({ clients }, { client }) => clients.disable(client.client.id) },
  { name: 'a client that is deleted', change: ({ clients }, { client }) => clients.remove(client.client.id) },
  {
    name: 'a sign-out at another process',
    change: async (_services, _guest, elsewhere) =>
      elsewhere.submit(await elsewhere.open('/logout'), { logout: 'yes' }),
  },
]

describe.each(databases.filter(({ name }) => name === 'postgres'))('two processes on $name', (kind) => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster(kind, 2, { NODE_OPTIONS: `--import=${SKEWED}` }, (index) => ({
      CLOCK_SKEW_SECONDS: index === 0 ? '5' : '-5',
    }))
  })
  afterAll(() => cluster.close())

  const hosts = (): readonly [TestApp, TestApp] => {
    const [first, second] = cluster.hosts
    if (!first || !second) throw new Error('the cluster has two hosts')
    return [first, second]
  }

  /** The same browser, at another process. */
  const at = (host: TestApp, { cookies }: BrowserSession) => browserSession(host.issuer, {}, [...cookies.values()])

  /** Signs in at the first process, redeems at the second and refreshes at the first. */
  async function arrive(): Promise<Guest> {
    const [first, second] = hosts()
    const username = randomUUID()
    const { id } = await createPerson(cluster.services, { username, email: `${username}@example.com` })
    const client = await createClient(cluster.services, { first_party: true, refresh_tokens: 'always' })
    const browser = browserSession(first.issuer)
    await signIn(browser, await browser.open(authorizeUrl(first, client)), username)
    const redeemed = await redeem(second, client, await codeFor(first, client, { prompt: 'none' }, browser))
    expect(redeemed.status, redeemed.body).toBe(200)
    const refreshed = await refresh(first, client, tokensIn(redeemed).refreshToken)
    expect(refreshed.status, refreshed.body).toBe(200)
    return { username, accountId: id, client, browser, tokens: tokensIn(refreshed) }
  }

  /** Is there a session, and is the access token live? */
  async function isIn(host: TestApp, { client, browser, tokens }: Guest): Promise<readonly boolean[]> {
    const page = await at(host, browser).open(authorizeUrl(host, client, { prompt: 'none' }))
    return [
      (page.headers.get('location') ?? '').includes('code='),
      (await userinfo(host, tokens.accessToken)).status === 200,
    ]
  }

  test('F18 whoever signed in at the first is signed in at the second, and codes and tokens work at both', async () => {
    const guest = await arrive()
    for (const host of hosts()) expect(await isIn(host, guest)).toEqual([true, true])
    const code = await codeFor(hosts()[1], guest.client, { prompt: 'none' }, at(hosts()[1], guest.browser))
    expect((await redeem(hosts()[0], guest.client, code)).status).toBe(200)
  })

  test.each(ends)('$name is out at both', async ({ change }) => {
    const guest = await arrive()
    const [first, second] = hosts()
    await change(cluster.services, guest, at(second, guest.browser))
    for (const host of [first, second]) {
      // a client is remembered for half a second
      await patiently(async () => expect(await isIn(host, guest)).toEqual([false, false]))
      expect((await refresh(host, guest.client, guest.tokens.refreshToken)).status).not.toBe(200)
    }
  })

  test('a redirect URI that a client gave up is refused at both', async () => {
    const { client } = await arrive()
    await cluster.services.clients.update(client.client.id, { redirect_uris: ['https://rp.example/new'] })
    for (const host of hosts())
      await patiently(async () => expect((await send(authorizeUrl(host, client))).status).toBe(400))
  })

  test('a signing key that is retired leaves the JWKS of both, and both publish its successor', async () => {
    const kidsOf = async (host: TestApp): Promise<unknown[]> => {
      const { keys } = (await send(`${host.issuer}/.well-known/jwks.json`)).json
      return Array.isArray(keys) ? keys.map(({ kid }: { kid: unknown }) => kid).toSorted() : []
    }
    const { signingKeys } = cluster.services
    const [retired] = (await signingKeys.list()).filter(({ alg }) => alg === 'ES256')
    await signingKeys.retire(retired?.kid ?? '')
    const published = (await signingKeys.list()).flatMap(({ kid, state }) => (state === 'gone' ? [] : [kid]))
    expect(published).not.toContain(retired?.kid)
    for (const host of hosts()) await vi.waitFor(async () => expect(await kidsOf(host)).toEqual(published.toSorted()))
  })

  test('F19 a restart forgets no wrong password and no refresh token that was used', async () => {
    const [first, second] = hosts()
    const guest = await arrive()
    const stranger = browserSession(first.issuer)
    const page = await stranger.open(authorizeUrl(first, guest.client))
    const guess = async (host: TestApp, password: string) => {
      const browser = at(host, stranger)
      const form = { ...page, url: page.url.replace(first.issuer, host.issuer) }
      return (await browser.submit(form, { username: guest.username, password })).status
    }
    const used = await refresh(second, guest.client, guest.tokens.refreshToken)
    expect([await guess(first, 'wrong 1'), await guess(first, 'wrong 2'), await guess(first, 'wrong 3')]).toEqual([
      422, 422, 422,
    ])
    await cluster.kill(0)
    expect(await guess(second, 'wrong 4')).toBe(422)
    await cluster.restart(0)
    expect([await guess(first, 'wrong 5'), await guess(first, PASSWORD)]).toEqual([422, 429])
    const again = await refresh(first, guest.client, guest.tokens.refreshToken)
    if (again.status === 200) expect(tokensIn(again).refreshToken).toBe(tokensIn(used).refreshToken)
    else expect(again.json).toMatchObject({ error: 'invalid_grant' })
  })
})
