// Guessing passwords: how many are looked at, whoever asks, from wherever, and that the person gets in all the same.
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import {
  browserSession,
  hiddenFields,
  locationOf,
  type BrowserSession,
  type Cookie,
  type Page,
} from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { startCluster, type Cluster } from '../support/processes.ts'
import { authorizeUrl, basic, post } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

/** Wrong passwords that are looked at for one name, and from one network. */
const OF_A_NAME = 5
const OF_A_NETWORK = 50
/** So many names with as many passwords from one network are called stuffing. */
const PAIRS = 20

describe.each(databases)('guessing passwords on $name', (database) => {
  const warnings: string[] = []
  let app: TestApp
  let client: RegisteredClient
  let guesser: { browser: BrowserSession; page: Page }
  let people = 0
  let networks = 0
  let name: string
  let id: string

  beforeAll(async () => {
    const log = pino({ level: 'warn', base: null }, { write: (line) => void warnings.push(line) })
    app = await startApp(database, { log, settings: { TRUSTED_PROXIES: '127.0.0.0/8,::1' } })
    client = await createClient(app.services, { first_party: true })
    const browser = browserSession(app.issuer)
    guesser = { browser, page: await browser.open(authorizeUrl(app, client)) }
  })
  beforeEach(async () => {
    name = `person${(people += 1)}`
    id = (await createPerson(app.services, { username: name, email: `${name}@example.com` })).id
  })
  afterAll(() => app.close())

  const newNetwork = (): string => `198.51.100.${(networks += 1)}`

  /** One wrong password, as a script sends it. */
  const guess = ({
    who = name,
    password = 'wrong',
    headers = { 'x-forwarded-for': newNetwork() },
  } = {}): Promise<Page> => sendForm(guesser.browser, guesser.page, { username: who, password }, { headers })
  const guesses = async (times: number, who = name): Promise<number[]> => {
    const statuses: number[] = []
    for (let time = 0; time < times; time += 1) statuses.push((await guess({ who })).status)
    return statuses
  }
  const someLookedAt = (refused: number): number[] => [
    ...Array<number>(OF_A_NAME).fill(422),
    ...Array<number>(refused).fill(429),
  ]

  const signInAs = async (
    who: string,
    { password = PASSWORD, cookies = [] as readonly Cookie[], network = newNetwork() } = {},
  ): Promise<{ page: Page; known: readonly Cookie[] }> => {
    const browser = browserSession(app.issuer, { 'x-forwarded-for': network }, cookies)
    const page = await signIn(browser, await browser.open(authorizeUrl(app, client)), who, password)
    return { page, known: [...browser.cookies.values()].filter((cookie) => cookie.name === 'latchkey_browser') }
  }
  const getsIn = async (...args: Parameters<typeof signInAs>): Promise<boolean> => {
    const { page } = await signInAs(...args)
    return page.status === 303 && locationOf(page).searchParams.has('code')
  }

  /** Ends the series that would end within that time. */
  const aQuarterOfAnHourLater = async (): Promise<void> => {
    const now = Math.floor(Date.now() / 1000)
    const counters = app.services.database.db.updateTable('attempt_counters')
    await counters
      .set({ expires_at: now - 1 })
      .where('expires_at', '<=', now + 900)
      .execute()
  }

  /** What is on record of who guessed from there, in the order of its time; each of it is in the log, too. */
  const familyFrom = async (address: string): Promise<string[]> => {
    await app.services.audit.flush()
    const { items } = await app.services.auditTrail.list({ type: 'guessing', limit: 200 })
    const rows = items.filter((row) => row.address === address)
    for (const { type, request_id } of rows)
      expect(warnings.filter((line) => line.includes(`"${type}"`) && line.includes(`"${request_id}"`))).toHaveLength(1)
    return rows.map(({ type }) => type).toReversed()
  }

  const plain = ({ body }: Page): string => body.replaceAll(/value="[^"]*"|action="[^"]*"|<code>\w{12}/g, '')

  test('A29 answers the right password like a wrong one once too many were wrong, from every network', async () => {
    expect(await guesses(OF_A_NAME + 2)).toEqual(someLookedAt(2))
    const right = await signInAs(name)
    const wrong = await signInAs(name, { password: 'wrong' })
    expect([right.page.status, wrong.page.status]).toEqual([429, 429])
    expect(right.page.body).toContain('Too many wrong passwords were tried')
    expect(Number(right.page.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(plain(right.page)).toBe(plain(wrong.page))
  })

  test('A27 lets a name that nobody has wait as well, and counts each of a person’s names by itself', async () => {
    expect(await guesses(OF_A_NAME + 1, `nobody-like-${name}`)).toEqual(someLookedAt(1))
    expect(await guesses(OF_A_NAME + 1)).toEqual(someLookedAt(1))
    expect(plain(await guess({ who: `nobody-like-${name}` }))).toBe(plain(await guess()))
    expect((await guess({ who: `${name}@example.com` })).status).toBe(422)
    expect((await guess({ who: ` ${name.toUpperCase()} ` })).status).toBe(429)
  })

  test('A33 lets the person in with a browser that they signed in with before, by either name', async () => {
    const { known } = await signInAs(name)
    await guesses(OF_A_NAME + 5)
    expect(await getsIn(name)).toBe(false)
    expect(await getsIn(name, { cookies: known })).toBe(true)
    expect(await getsIn(`${name}@example.com`, { cookies: known })).toBe(true)
  })

  test('A33 lets the person in with such a browser, too, while the server takes nobody else’s guesses', async () => {
    const { known } = await signInAs(name)
    await app.services.database.db.updateTable('attempt_counters').set({ count: 5_000 }).execute()
    const network = newNetwork()
    expect(await getsIn(name, { network })).toBe(false)
    expect(await familyFrom(network)).toEqual(['guessing.server'])
    expect(await getsIn(name, { cookies: known })).toBe(true)
    await app.services.database.db.deleteFrom('attempt_counters').execute()
    expect(await getsIn(name)).toBe(true)
  })

  test('gives a browser another name in place of one that was chosen elsewhere', async () => {
    for (const value of ['chosen-elsewhere', 'x'.repeat(4_000)]) {
      const { known } = await signInAs(name, { cookies: [{ name: 'latchkey_browser', value, path: '/' }] })
      expect(known[0]?.value).toMatch(/^[\w-]{43}(\.\d+~[\w-]{43}){2}$/)
    }
  })

  test('A33 ends the wait after a quarter of an hour', async () => {
    await guesses(OF_A_NAME + 1)
    await aQuarterOfAnHourLater()
    expect(await getsIn(name)).toBe(true)
    expect(await guesses(OF_A_NAME)).toEqual(someLookedAt(0))
  })

  test('A29 looks at fifty wrong passwords in a row for a name, however patient the guesser is', async () => {
    let lookedAt = 0
    for (let series = 0; series < 12; series += 1) {
      lookedAt += (await guesses(OF_A_NAME)).filter((status) => status === 422).length
      await aQuarterOfAnHourLater()
    }
    expect(lookedAt).toBe(50)
    await app.services.accounts.enable(id)
    expect(await getsIn(name)).toBe(true)
  })

  test('gives a known browser a budget of its own, which locks the person out nowhere else', async () => {
    const { known } = await signInAs(name)
    const statuses: number[] = []
    for (let time = 0; time < OF_A_NAME + 1; time += 1)
      statuses.push((await signInAs(name, { password: 'wrong', cookies: known })).page.status)
    expect(statuses).toEqual(someLookedAt(1))
    expect(await getsIn(name)).toBe(true)
  })

  test.each([
    ['of another person', async () => (await signInAs(`${name}-friend`)).known[0]?.value ?? ''],
    ['that was made up', async () => `x.9999999999~${'a'.repeat(43)}`],
    ['that is none', async () => '..~~~NaN~'],
  ])('does not know a browser by a cookie %s', async (_, made) => {
    await createPerson(app.services, { username: `${name}-friend`, email: `${name}-friend@example.com` })
    const value = await made()
    await guesses(OF_A_NAME)
    expect(value).not.toBe('')
    expect(await getsIn(name, { cookies: [{ name: 'latchkey_browser', value, path: '/' }] })).toBe(false)
  })

  test('A30 refuses a network that tries a password on many names, and nobody elsewhere', async () => {
    const network = newNetwork()
    const sprayed = { password: `spring of ${name}`, headers: { 'x-forwarded-for': network } }
    const statuses: number[] = []
    for (let time = 0; time < OF_A_NETWORK + 2; time += 1)
      statuses.push((await guess({ who: `${name}-${time}`, ...sprayed })).status)
    expect(statuses.filter((status) => status === 422)).toHaveLength(OF_A_NETWORK)
    expect(statuses.slice(-2)).toEqual([429, 429])
    expect(await familyFrom(network)).toEqual(['guessing.spraying', 'guessing.network', 'guessing.network'])
    expect(await getsIn(name, { network })).toBe(false)
    expect(await getsIn(name)).toBe(true)
  })

  test.each([
    ['whatever else the request says', (time: number, seen: string) => `203.0.113.${time}, ${seen}`],
    ['an IPv6 network as one', (time: number) => `2001:db8:${networks}:6::${time.toString(16)}`],
  ])('A31 counts under the address that the trusted proxy saw: %s', async (_, forwardedFor) => {
    const seen = newNetwork()
    const disguised = (time: number): Promise<Page> => {
      const other = `203.0.113.${time}`
      const headers = {
        'x-real-ip': other,
        forwarded: `for=${other}`,
        'cf-connecting-ip': other,
        'true-client-ip': other,
      }
      const sent = { ...headers, 'x-forwarded-for': forwardedFor(time, seen) }
      return guess({ who: `${name}-${time}`, password: `stolen ${time}`, headers: sent })
    }
    for (let time = 1; time <= OF_A_NETWORK; time += 1) await disguised(time)
    expect((await disguised(200)).status).toBe(429)
    const addressOf = (time: number): string => forwardedFor(time, seen).split(', ').at(-1) ?? ''
    const family = new Set([...(await familyFrom(addressOf(PAIRS))), ...(await familyFrom(addressOf(200)))])
    expect(family).toEqual(new Set(['guessing.stuffing', 'guessing.network']))
    expect((await guess()).status).toBe(422)
  })

  test('forgets what was wrong after the right password and after a new one', async () => {
    await guesses(OF_A_NAME - 1)
    expect(await getsIn(name)).toBe(true)
    expect(await guesses(OF_A_NAME + 1)).toEqual(someLookedAt(1))
    await app.services.accounts.setPassword(id, 'a boat under the old bridge')
    expect(await getsIn(name, { password: 'a boat under the old bridge' })).toBe(true)
  })

  test('keeps no name, network or browser in the counters', async () => {
    await guess()
    const rows = await app.services.database.db.selectFrom('attempt_counters').select('key').execute()
    for (const { key } of rows) expect(key).toMatch(/^[\w-]{43}$/)
  })
})

describe.each(databases)('guessing passwords at two processes at once on $name', (database) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster(database, 2)
  })
  afterAll(() => cluster.close())

  test('A32 looks at no more than the budget, and not at the right one beyond it', async () => {
    const { hosts, services } = cluster
    const [first, second] = hosts
    if (!first || !second) throw new Error('the cluster has two hosts')
    await createPerson(services)
    const client = await createClient(services, { first_party: true })
    const pages = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const browser = browserSession(first.issuer)
        return { browser, page: await browser.open(authorizeUrl(first, client)) }
      }),
    )
    const guess = (index: number, password: string): Promise<Page> => {
      const { browser, page } = pages[index] ?? {}
      if (!browser || !page) throw new Error('there is a page for each guess')
      return sendForm(browser, page, { username: 'ada', password }, { at: (index % 2 === 0 ? first : second).issuer })
    }
    const wrong = await Promise.all(Array.from({ length: 29 }, (_, index) => guess(index, `wrong ${index}`)))
    expect(wrong.filter(({ status }) => status === 422)).toHaveLength(OF_A_NAME)
    expect(wrong.filter(({ status }) => status === 429)).toHaveLength(29 - OF_A_NAME)
    expect((await guess(29, PASSWORD)).status).toBe(429)

    // what is left of the network's budget, at another door
    const secrets = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const unknown = { client: { ...client.client, id: `client-${index % 6}` }, secret: `wrong ${index}` }
        const host = index % 2 === 0 ? first : second
        return post(`${host.issuer}/token`, { grant_type: 'client_credentials' }, basic(unknown))
      }),
    )
    expect(secrets.filter(({ status }) => status === 401)).toHaveLength(OF_A_NETWORK - OF_A_NAME)
    expect(secrets.filter(({ status }) => status === 429)).toHaveLength(60 - OF_A_NETWORK + OF_A_NAME)
  })
})

/** Sends the page's form without following what comes. @param at origin of another process */
function sendForm(
  browser: BrowserSession,
  page: Page,
  fields: Readonly<Record<string, string>>,
  { at, headers = {} }: { at?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Page> {
  const action = new URL(/<form[^>]*\saction="([^"]*)"/.exec(page.body)?.[1] ?? '', page.url)
  const body = new URLSearchParams({ ...hiddenFields(page.body), ...fields })
  return browser.request(new URL(action.pathname, at ?? action.origin).href, { method: 'POST', body, headers })
}
