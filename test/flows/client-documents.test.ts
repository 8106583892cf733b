// Client ID Metadata Documents: a client whose id is the address of its metadata signs people in, marked as what it is.
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AttemptTables } from '#platform/database/attempt-counter.ts'
import { createPerson, REDIRECT_URI, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { openDocumentHost, type DocumentHost } from '../support/document-host.ts'
import { authorizeUrl, codeFor, redeem, refresh, send, tokensFor } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

const NOTES = { client_name: 'Notes', redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' }

describe.each(databases)('a client id that is the address of a document on $name', (database) => {
  let app: TestApp
  let host: DocumentHost
  let browser: BrowserSession
  let count = 0

  beforeAll(async () => {
    host = await openDocumentHost()
    app = await startApp(database, {
      settings: { CLIENT_ID_METADATA_DOCUMENT_HOSTS: 'localhost', OUTBOUND_ALLOW: '127.0.0.1,::1' },
    })
    await createPerson(app.services)
  })
  beforeEach(() => {
    browser = browserSession(app.issuer)
  })
  afterAll(async () => {
    await app.close()
    await host.close()
  })

  const put = (document: Readonly<Record<string, unknown>> = {}) =>
    host.put(`/client-${(count += 1)}.json`, { ...NOTES, ...document })
  /** What a test knows of a client whose row need not be there yet. */
  const known = (id: string) => ({ client: { id }, secret: undefined }) as RegisteredClient
  const open = (id: string, changes = {}) => browser.open(authorizeUrl(app, known(id), changes))

  test('stands in discovery', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json['client_id_metadata_document_supported']).toBe(true)
  })

  test('signs in, and the person is told where it is described', async () => {
    const id = put()
    const page = await signIn(browser, await open(id))
    expect(page.body).toContain('This app is described at localhost')
    expect((await tokensFor(app, known(id), {}, browser)).accessToken).toBeTruthy()
    expect(await app.services.clients.get(id)).toMatchObject({
      name: 'Notes',
      type: 'spa',
      origin: 'metadata_document',
    })
    expect(host.asked.filter((path) => id.endsWith(path))).toHaveLength(1)
  })

  test('is remembered once, however many come first', async () => {
    const id = put()
    const pages = await Promise.all(
      Array.from({ length: 8 }, () => browserSession(app.issuer).open(authorizeUrl(app, known(id)))),
    )
    expect(pages.map(({ body }) => body.includes('id="sign-in"'))).toEqual(pages.map(() => true))
  })

  test('is waited for by those who ask for it and by nobody else, however slow its host is', async () => {
    const counters: Kysely<AttemptTables> = app.services.database.db.withTables()
    await counters.deleteFrom('attempt_counters').execute()
    const answer = host.hold()
    const id = put()
    const pages = [open(id), browserSession(app.issuer).open(authorizeUrl(app, known(id)))]
    try {
      // each was counted for all to see, and only then waits
      await vi.waitFor(async () =>
        expect(await counters.selectFrom('attempt_counters').select('count').execute()).toEqual([
          { count: 2 },
          { count: 2 },
        ]),
      )
    } finally {
      answer()
    }
    for (const page of await Promise.all(pages)) expect(page.body).toContain('id="sign-in"')
    expect(host.asked.filter((path) => id.endsWith(path))).toHaveLength(1)
  })

  test('A77 decides nothing that is the house’s own, and is asked about always', async () => {
    const mine = {
      first_party: true,
      origin: 'administrator',
      assignment: 'groups',
      type: 'web',
      claims: [{ claim: 'x', value: 1 }],
    }
    const id = put(mine)
    const page = await signIn(browser, await open(id))
    expect(page.body).toContain('id="consent"')
    expect(await app.services.clients.get(id)).toMatchObject({
      firstParty: false,
      type: 'spa',
      assignment: 'everyone',
      claims: [],
      origin: 'metadata_document',
    })
    await expect(app.services.clients.update(id, { origin: 'administrator' })).rejects.toMatchObject({
      fields: { origin: expect.stringContaining('document') },
    })
  })

  test('is a native app where it returns to a loopback address without a port', async () => {
    const id = put({ redirect_uris: ['http://127.0.0.1/callback'] })
    const redirect_uri = 'http://127.0.0.1:51234/callback'
    const code = await codeFor(app, known(id), { redirect_uri }, browser)
    expect((await redeem(app, known(id), code, { redirect_uri })).status).toBe(200)
  })

  test.each([
    ['another client_id', { client_id: 'https://localhost/other' }],
    ['a shared secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['a secret in it', { client_secret: 'x' }],
    ['a redirect URI that runs', { redirect_uris: ['javascript:alert(1)'] }],
    ['a logo inside the network', { logo_uri: 'https://10.0.0.1/logo.png' }],
    ['more than fits', { client_name: 'x'.repeat(6_000) }],
    ['a service in it', { grant_types: ['client_credentials'] }],
  ])('is refused with %s', async (_, document) => {
    const id = put(document)
    expect(errorOf(await open(id))).toMatch(/^invalid_(client|client_metadata|redirect_uri)$/)
    expect(await app.services.clients.find(id)).toBeUndefined()
  })

  test.each([
    ['lies at a host that is not named', 'https://elsewhere.example/client.json'],
    ['lies at an address', 'https://10.0.0.1/client.json'],
    ['goes by a path with dots', 'https://localhost/a/../client.json'],
    ['is not https', 'http://localhost/client.json'],
  ])('is refused where it %s', async (_, id) => {
    const asked = host.asked.length
    expect(errorOf(await open(id))).toBe('invalid_client')
    expect(host.asked).toHaveLength(asked)
  })

  test('is refused where its address is longer than the id of any client, so that nobody could close it', async () => {
    const id = host.put(`/${'a'.repeat(250)}`, NOTES)
    expect(errorOf(await open(id))).toBe('invalid_client')
    expect((await app.services.clients.list({ limit: 200 })).items.map((client) => client.id)).not.toContain(id)
  })

  test('is refused where nothing lies there', async () => {
    expect(errorOf(await open(`${host.origin}/nothing.json`))).toBe('invalid_client')
  })

  test('is still fetched where strangers have used up what may be asked for that nobody knows', async () => {
    const id = put()
    await open(id)
    const counters: Kysely<AttemptTables> = app.services.database.db.withTables()
    await counters.updateTable('attempt_counters').set({ count: 1_000 }).execute()
    await app.services.apis.create({
      identifier: 'https://notes.example',
      name: 'Notes',
      authorization_details_types: [{ type: 'note', title: 'Read a note', members: [] }],
    })
    await app.refreshKeys() // forgets the documents too
    expect((await open(put())).status).toBe(429)
    expect((await open(id)).body).toContain('id="sign-in"')
    expect(host.asked.filter((path) => id.endsWith(path))).toHaveLength(2)
    await counters.deleteFrom('attempt_counters').execute()
  })

  test('is refused refresh tokens where the administrator wants none, those that it has too', async () => {
    const id = put({ grant_types: ['authorization_code', 'refresh_token'] })
    const offline = { scope: 'openid offline_access', prompt: 'consent' }
    const { refreshToken } = await tokensFor(app, known(id), offline, browser)
    expect(refreshToken).not.toBe('')
    await app.services.clients.update(id, { refresh_tokens: 'never' })
    expect((await refresh(app, known(id), refreshToken)).status).toBe(400)
    expect((await tokensFor(app, known(id), offline, browser)).refreshToken).toBe('')
  })

  test('is the administrator’s to close, whatever the document says', async () => {
    const id = put()
    await codeFor(app, known(id), {}, browser)
    await app.services.clients.update(id, { assignment: 'groups' })
    expect((await open(id)).body).toContain('No access')
    await app.services.clients.disable(id)
    expect(errorOf(await open(id))).toBe('invalid_client')
  })
})

test('without the setting nothing is fetched, and discovery says nothing', async () => {
  const app = await startApp(databases[0] ?? expect.fail('no database'))
  const client = { client: { id: 'https://localhost/client.json' }, secret: undefined } as RegisteredClient
  expect(errorOf(await browserSession(app.issuer).open(authorizeUrl(app, client)))).toBe('invalid_client')
  const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
  expect(json).not.toHaveProperty('client_id_metadata_document_supported')
  await app.close()
})
