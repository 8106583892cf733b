// What an administrator decides about a person, as the person and their apps meet it in the running server.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '#core/accounts/account.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, claimsIn, tokensFor, userinfo } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

describe.each(databases)('people on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let person: Account

  beforeAll(async () => {
    app = await startApp(database)
    web = await createClient(app.services, { first_party: true })
  })
  beforeEach(async () => {
    person = await createPerson(app.services)
  })
  afterAll(() => app.close())

  const attempt = async (username = 'ada') => {
    const browser = browserSession(app.issuer)
    return signIn(browser, await browser.open(authorizeUrl(app, web)), username)
  }

  test('who are disabled cannot sign in, and can again when they are enabled', async () => {
    await app.services.accounts.disable(person.id)
    expect((await attempt()).status).toBe(422)
    await app.services.accounts.enable(person.id)
    expect(locationOf(await attempt()).searchParams.get('code')).toBeTruthy()
    await app.services.accounts.remove(person.id)
  })

  test('who come back under the same name are somebody else', async () => {
    const before = claimsIn((await tokensFor(app, web)).idToken)['sub']
    await app.services.accounts.remove(person.id)
    expect((await attempt()).status).toBe(422)
    person = await createPerson(app.services)
    expect(claimsIn((await tokensFor(app, web)).idToken)['sub']).not.toBe(before)
    await app.services.accounts.remove(person.id)
  })

  test('who change their address sign in with the new one, and their apps read it at once', async () => {
    const { accessToken } = await tokensFor(app, web)
    await app.services.accounts.update(person.id, {
      email: 'countess@example.com',
      email_verified: false,
      given_name: 'Augusta',
    })
    expect((await userinfo(app, accessToken)).json).toMatchObject({
      sub: person.id,
      email: 'countess@example.com',
      email_verified: false,
      name: 'Augusta Byron',
    })
    expect((await attempt('ada@example.com')).status).toBe(422)
    expect(locationOf(await attempt('countess@example.com')).searchParams.get('code')).toBeTruthy()
    await app.services.accounts.remove(person.id)
  })
})
