// How software that registered itself keeps its record (RFC 7592), and what becomes of what nobody uses.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { bearer, send, tokensFor } from '../support/protocol.ts'
import { itselfIn, registering } from '../support/registration.ts'

const CALLBACK = 'https://app.example/callback'

describe.each(databases)('the record of a client on $name', (database) => {
  let app: TestApp
  let token: string
  const { register, read, change, remove } = registering(() => app.issuer)

  beforeAll(async () => {
    app = await startApp(database, { settings: { REGISTRATION: 'token' } })
    await createPerson(app.services)
  })
  beforeEach(async () => {
    token = (await app.services.registrationTokens.create({ uses: 10 })).value
  })
  afterAll(() => app.close())

  test('lets a client read, replace and remove its record', async () => {
    const { json: made } = await register(
      { client_name: 'Notes', redirect_uris: [CALLBACK], client_uri: 'https://app.example' },
      token,
    )
    const seen = await read(itselfIn(made))
    expect([seen.status, seen.json]).toEqual([200, made])

    const changed = await change(itselfIn(made), { client_name: 'Notes 2', redirect_uris: [`${CALLBACK}2`] })
    expect([changed.status, changed.json]).toMatchObject([
      200,
      { client_name: 'Notes 2', redirect_uris: [`${CALLBACK}2`], client_secret: made['client_secret'] },
    ])
    expect(changed.json).not.toHaveProperty('client_uri')
    expect(changed.json['registration_access_token']).not.toBe(made['registration_access_token'])
    expect((await read(itselfIn(made))).status).toBe(401)

    const id = String(made['client_id'])
    const { accessToken } = await tokensFor(app, await signedInClient(id))
    expect((await remove(itselfIn(changed.json))).status).toBe(204)
    expect((await read(itselfIn(changed.json))).status).toBe(401)
    expect((await send(`${app.issuer}/userinfo`, { headers: bearer(accessToken) })).status).toBe(401)
    expect(await app.services.clients.find(id)).toBeUndefined()
  })

  test('A76 spends the token of a client once, and not where the change is refused', async () => {
    const { json } = await register({ redirect_uris: [CALLBACK] }, token)
    expect((await change(itselfIn(json), { redirect_uris: ['javascript:1'] })).status).toBe(400)
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        change(itselfIn(json), { client_name: `Notes ${i}`, redirect_uris: [CALLBACK] }),
      ),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 401)])
  })

  test('A76 shows nobody the record of another, nor one that an administrator keeps', async () => {
    const [{ json: mine }, { json: other }] = await Promise.all([
      register({ redirect_uris: [CALLBACK] }, token),
      register({ redirect_uris: [CALLBACK] }, token),
    ])
    const byAdministrator = await createClient(app.services)
    for (const id of [String(other['client_id']), byAdministrator.client.id]) {
      const { json } = await register({ redirect_uris: [CALLBACK] }, token)
      const stolen = { ...itselfIn(json), id }
      expect((await read(stolen)).status).toBe(401)
      expect((await change(stolen, { redirect_uris: [CALLBACK] })).status).toBe(401)
      expect((await remove(stolen)).status).toBe(401)
      expect(await app.services.clients.find(id)).toBeDefined()
    }
    await app.services.clients.update(String(mine['client_id']), { origin: 'administrator' })
    expect((await read(itselfIn(mine))).status).toBe(403)
    expect((await change(itselfIn(mine), { redirect_uris: [CALLBACK] })).status).toBe(403)
    expect((await remove(itselfIn(mine))).status).toBe(403)
  })

  test('keeps no value that would be accepted in the database', async () => {
    const { json } = await register({ redirect_uris: [CALLBACK] }, token)
    const { db } = app.services.database
    const rows = JSON.stringify([
      await db.selectFrom('artifacts').selectAll().execute(),
      await db.selectFrom('registration_tokens').selectAll().execute(),
      await db.selectFrom('clients').selectAll().execute(),
    ])
    for (const value of [token, json['registration_access_token'], json['client_secret']])
      expect(rows).not.toContain(String(value))
  })

  test('removes what registered itself and was never used', async () => {
    const { clients, database: opened } = app.services
    const [{ json: used }, { json: idle }] = [
      await register({ redirect_uris: ['http://localhost:9/callback'] }, token),
      await register({ redirect_uris: [CALLBACK] }, token),
    ]
    const kept = await createClient(app.services)
    await tokensFor(app, await signedInClient(String(used['client_id'])))
    await opened.db.updateTable('clients').set({ created_at: 1 }).execute()
    await clients.removeUnused(3_600, 500)
    expect(await clients.find(String(idle['client_id']))).toBeUndefined()
    expect(await clients.find(String(used['client_id']))).toBeDefined()
    expect(await clients.find(kept.client.id)).toBeDefined()
  })

  async function signedInClient(id: string) {
    const client = await app.services.clients.update(id, { redirect_uris: ['http://localhost:9/callback'] })
    return { client, secret: client.secret }
  }
})
