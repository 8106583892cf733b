// Software of unknown origin, as the person who is asked for consent meets it, and registration that is open to anybody.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPerson, REDIRECT_URI, startApp, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, codeFor, send } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'
import { registering } from '../support/registration.ts'

const WARNING = 'This app registered itself'
const LOGO = 'https://app.example/logo.png'

describe('an application that registered itself', () => {
  let app: TestApp
  const { register } = registering(() => app.issuer)

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'), { settings: { REGISTRATION: 'open' } })
    await createPerson(app.services)
  })
  afterAll(() => app.close())

  const registered = async () => {
    const { json } = await register({
      client_name: 'Notes',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'none',
      logo_uri: LOGO,
    })
    return { client: await app.services.clients.get(String(json['client_id'])), secret: undefined }
  }

  test('is marked where the person is asked, with where it leads, and its logo is loaded nowhere', async () => {
    const browser = browserSession(app.issuer)
    const first = await browser.open(authorizeUrl(app, await registered()))
    const page = await signIn(browser, first)
    expect(page.body).toContain(WARNING)
    expect(page.body).toContain('trust localhost:9')
    expect(first.body + page.body).not.toContain(LOGO)
  })

  test('is asked about once, and never skipped', async () => {
    const rp = await registered()
    const browser = browserSession(app.issuer)
    const page = await signIn(browser, await browser.open(authorizeUrl(app, rp, { prompt: 'login' })))
    expect(page.body).toContain('id="consent"')
    const other = await registered()
    expect((await browser.open(authorizeUrl(app, other))).body).toContain('id="consent"')
    await expect(app.services.clients.update(rp.client.id, { first_party: true })).rejects.toMatchObject({
      code: 'invalid_input',
      fields: { first_party: expect.stringContaining('--vouched') },
    })
  })

  test('is like any other once an administrator vouches for it', async () => {
    const rp = await registered()
    await app.services.clients.update(rp.client.id, { origin: 'administrator' })
    const browser = browserSession(app.issuer)
    const page = await signIn(browser, await browser.open(authorizeUrl(app, rp)))
    expect(page.body).not.toContain(WARNING)
    expect(page.body).toContain(LOGO)
    expect(await codeFor(app, rp, {}, browser)).toBeTruthy()
  })

  test('is never a service, and no device, where anybody may register', async () => {
    const service = await register({ grant_types: ['client_credentials'] })
    expect([service.status, service.json['error']]).toEqual([400, 'invalid_client_metadata'])
    const device = await register({
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    })
    expect(device.json['grant_types']).toEqual(['authorization_code'])
  })

  test('may be registered by a script of any origin', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const asked = await send(`${app.issuer}/register`, { method: 'OPTIONS', headers })
    expect([asked.status, asked.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'Authorization, Content-Type',
    ])
    const { headers: answered } = await register({ redirect_uris: [REDIRECT_URI] })
    expect(answered.get('access-control-allow-origin')).toBe('*')
    expect(answered.get('access-control-allow-credentials')).toBeNull()
  })

  test('is registered so often from one network and no more', async () => {
    const answers = await Promise.all(Array.from({ length: 110 }, () => register({ redirect_uris: [] })))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(9)
    expect(refused[0]?.json).toMatchObject({ error: 'too_many_attempts' })
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('without the setting', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
  })
  afterAll(() => app.close())

  test('A76 nothing registers itself, and discovery says so', async () => {
    const { value } = await app.services.registrationTokens.create({})
    expect((await registering(() => app.issuer).register({ redirect_uris: [REDIRECT_URI] }, value)).status).toBe(404)
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json).not.toHaveProperty('registration_endpoint')
  })
})
