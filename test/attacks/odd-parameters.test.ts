// Authorization requests that are long, odd or broken: taken as they are, or refused, and never a fault of ours.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  bystander,
  claimsIn,
  codeFor,
  expectNothingGiven,
  redeem,
  tokensIn,
} from '../support/protocol.ts'

describe.each(databases)('odd parameters on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services)
    stillWorks = await bystander(app)
  })
  afterEach(() => stillWorks())
  afterAll(() => app.close())

  test('A14 gives a state of 2 kB back as it came, and takes long hints', async () => {
    const long = `a b&c=d%é"<'+${'x'.repeat(2_048)}`.slice(0, 2_048)
    const client = await createClient(app.services, { first_party: true })
    const browser = browserSession(app.issuer)
    await codeFor(app, client, {}, browser)
    const page = await browser.open(
      authorizeUrl(app, client, {
        state: long,
        nonce: long,
        login_hint: long,
        ui_locales: 'x '.repeat(1_000),
        acr_values: 'y '.repeat(1_000),
      }),
    )
    expect(locationOf(page).searchParams.get('state')).toBe(long)
    const answer = await redeem(app, client, locationOf(page).searchParams.get('code') ?? '')
    expect(claimsIn(tokensIn(answer).idToken)['nonce']).toBe(long)
  })

  test.each([
    ['a percent that encodes nothing', 'state=%E0%A4%A'],
    ['client_id as a list', 'client_id[]=x'],
    ['client_id as an object', 'client_id[a]=x'],
    ['5,000 scopes', `scope=${Array.from({ length: 1_500 }, (_, n) => `s${n}`).join('+')}`],
    ['claims that are no JSON', 'claims=%7B'],
    ['claims that are a list', 'claims=%5B%5D'],
    ['claims nested deeply', `claims=${encodeURIComponent(`${'{"userinfo":'.repeat(300)}1${'}'.repeat(300)}`)}`],
    [
      'claims that reach for the prototype',
      `claims=${encodeURIComponent('{"userinfo":{"__proto__":{"essential":true}},"__proto__":{"id_token":{}}}')}`,
    ],
    [
      'claims named like methods',
      `claims=${encodeURIComponent('{"userinfo":{"toString":null,"constructor":{"value":1}}}')}`,
    ],
    ['a max_age of nonsense', 'max_age=nonsense'],
    ['a negative max_age', 'max_age=-1'],
    ['a max_age beyond numbers', `max_age=${'9'.repeat(400)}`],
    ['an unknown resource', 'resource=https%3A%2F%2Fapi.example'],
    ['a resource that is no URI', 'resource=x'],
    ['an unknown response mode', 'response_mode=nonsense'],
    ['an unknown prompt', 'prompt=nonsense'],
    ['a NUL', 'scope=openid%00'],
    ['a lone surrogate', 'login_hint=%ED%A0%80'],
    ['authorization details', `authorization_details=${encodeURIComponent('[{"type":"x"}]')}`],
    ['an empty name', '=x'],
    ['a dpop_jkt of nonsense', 'dpop_jkt=x'],
  ])('A14 stays on its feet with %s', async (_, extra) => {
    const [name = ''] = extra.split('=')
    const page = await browserSession(app.issuer).open(
      `${authorizeUrl(app, web, name === 'scope' ? { scope: undefined } : {})}&${extra}`,
    )
    expectNothingGiven(page)
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('A14 refuses a request line of 64 kB, and goes on', async () => {
    const response = await fetch(authorizeUrl(app, web, { state: 'x'.repeat(65_536) }), { redirect: 'manual' }).catch(
      () => undefined,
    )
    expect(response === undefined || [400, 414, 431].includes(response.status)).toBe(true)
  })
})
