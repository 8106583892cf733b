// Where a browser is sent with a code: only ever to what was registered, character by character.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { textProblem } from '#platform/http/text-problem.ts'
import {
  createClient,
  createPerson,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { browserSession, errorOf, locationOf, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, bystander, expectNothingGiven, post, redeem, codeFor } from '../support/protocol.ts'

const REGISTERED = 'https://rp.example/cb'

const NEAR_MISSES = [
  'https://evil.example/cb',
  'https://rp.example.evil/cb',
  'https://rp.example@evil.example/cb',
  'https://rp.example:443@evil.example/cb',
  'https://evil.example/https://rp.example/cb',
  'https://evil.example?https://rp.example/cb',
  'https://evil.example#https://rp.example/cb',
  'https://rp.example\\@evil.example/cb',
  'https://evil.example\\.rp.example/cb',
  'https://rp.example./cb',
  'https://rp.examp\u0142e/cb',
  'https://\u0433p.example/cb',
  'https://rp\u3002example/cb',
  'https://rp.example',
  'https://rp.example/',
  'https://rp.example/cb/',
  'https://rp.example//cb',
  'https:/rp.example/cb',
  'https:rp.example/cb',
  'https:///rp.example/cb',
  '//rp.example/cb',
  'rp.example/cb',
  '/cb',
  'https://rp.example/cb/../x',
  'https://rp.example/x/../cb',
  'https://rp.example/./cb',
  'https://rp.example/cb/%2e%2e/x',
  'https://rp.example/%2e/cb',
  'https://rp.example/cb/%252e%252e/x',
  'https://rp.example/%63b',
  'https://rp.example/cb?x=1',
  'https://rp.example/cb?',
  'https://rp.example/cb#',
  'https://rp.example/cb#x',
  'https://rp.example/cb;x',
  'https://rp.example/CB',
  'https://RP.example/cb',
  'HTTPS://rp.example/cb',
  'https://rp.example:443/cb',
  'https://rp.example:8443/cb',
  'http://rp.example/cb',
  'ftp://rp.example/cb',
  'https://user@rp.example/cb',
  'https://rp.example/cb\t',
  'https://rp.exa\tmple/cb',
  'https://rp.example/cb\r\nLocation: https://evil.example',
  'https://rp.example/cb\n',
  'https://rp.example/cb\0',
  'https://rp.example/cb\0.evil.example',
  ' https://rp.example/cb',
  'https://rp.example/cb ',
  'https://rp.example/cb\u00a0',
  'https://rp.example/c\u200bb',
  `${REGISTERED},https://evil.example`,
  `${REGISTERED} https://evil.example`,
  'javascript:alert(1)//https://rp.example/cb',
  'data:text/html,https://rp.example/cb',
  'null',
  '*',
]

const QUERY_NEAR_MISSES = [
  'https://rp.example/q?a=1',
  'https://rp.example/q?a=2&b=2',
  'https://rp.example/q?b=2&a=1',
  'https://rp.example/q?a=1&b=2&c=3',
  'https://rp.example/q?a=1&b=2&',
  'https://rp.example/q',
]

/** Neither a redirect nor a word of the address but as plain text. */
function expectErrorPage(page: Page, error = 'invalid_redirect_uri'): void {
  expectNothingGiven(page)
  expect([page.status, errorOf(page)]).toEqual([400, error])
  expect(page.headers.get('location')).toBeNull()
  expect(page.body).not.toMatch(/(href|action|src)="[^"]*(evil|javascript|rp\.example)/i)
}

describe.each(databases)('redirect URIs on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let native: RegisteredClient
  let loopbackWeb: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services, { redirect_uris: [REGISTERED, 'https://rp.example/q?a=1&b=2'] })
    loopbackWeb = await createClient(app.services, { redirect_uris: ['http://127.0.0.1:4000/cb'] })
    native = await createClient(app.services, {
      type: 'native',
      redirect_uris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
    })
    stillWorks = await bystander(app)
  })
  afterEach(() => stillWorks())
  afterAll(() => app.close())

  const ask = (client: RegisteredClient, redirectUri: string | undefined, more = {}) =>
    browserSession(app.issuer).request(authorizeUrl(app, client, { redirect_uri: redirectUri, ...more }))

  test('A1 refuses a redirect URI that is not registered, on a page and with nothing sent to it', async () => {
    expectErrorPage(await ask(web, 'https://evil.example/cb'))
    expect((await ask(web, REGISTERED)).status).toBe(303)
  })

  test('A2 refuses every near miss of a registered redirect URI', async () => {
    for (const uri of NEAR_MISSES) expectErrorPage(await ask(web, uri), textProblem(uri) && 'invalid_request')
    for (const uri of QUERY_NEAR_MISSES) expectErrorPage(await ask(web, uri))
    expect((await ask(web, 'https://rp.example/q?a=1&b=2')).status).toBe(303)
  })

  test('A2 refuses the near misses in a posted authorization request too', async () => {
    const browser = browserSession(app.issuer)
    for (const uri of NEAR_MISSES.slice(0, 12)) {
      const [address = '', parameters = ''] = authorizeUrl(app, web, { redirect_uri: uri }).split('?')
      const asked = await browser.request(address, { method: 'POST', body: new URLSearchParams(parameters) })
      expect([asked.status, locationOf(asked).origin]).toEqual([303, app.issuer])
      expectErrorPage(await browser.open(locationOf(asked).href))
    }
  })

  test.each([
    'http://localhost.evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.1/cb',
    'http://2130706433/cb',
    'http://0x7f.0.0.1/cb',
    'http://[::ffff:127.0.0.1]/cb',
    'http://127.0.0.1:1@evil.example/cb',
    'http://127.0.0.1/other',
    'http://127.0.0.1:4000/cb?x',
    'https://127.0.0.1/cb',
    'http://127.0.0.2/cb',
    'http://localhost:4000/cb',
    'com.example.app:/other',
    'com.example.app://cb',
    'com.example.application:/cb',
  ])('A3 refuses %j although loopback ports are free for native apps', async (uri) => {
    expectErrorPage(await ask(native, uri))
  })

  test('A3 lets a native app choose its loopback port, and nobody else', async () => {
    expect((await ask(native, 'http://127.0.0.1:51234/cb')).status).toBe(303)
    expectErrorPage(await ask(loopbackWeb, 'http://127.0.0.1:4001/cb'))
    expect((await ask(loopbackWeb, 'http://127.0.0.1:4000/cb')).status).toBe(303)
  })

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://x/y',
    'about:blank',
    ' javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\tscript:alert(1)',
  ])('A4 refuses to register %j, and to send anybody there', async (uri) => {
    for (const type of ['web', 'spa', 'native']) {
      await expect(createClient(app.services, { type, redirect_uris: [uri] })).rejects.toMatchObject({
        code: 'invalid_input',
      })
      await expect(createClient(app.services, { type, post_logout_redirect_uris: [uri] })).rejects.toMatchObject({
        code: 'invalid_input',
      })
    }
    await expect(app.services.clients.update(web.client.id, { redirect_uris: [uri] })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    expectErrorPage(await ask(web, uri, { response_mode: 'form_post' }))
  })

  test('A5 refuses a request without redirect_uri, although only one is registered', async () => {
    const page = await ask(loopbackWeb, undefined)
    expectNothingGiven(page)
    expect([page.status, errorOf(page)]).toEqual([400, 'invalid_request'])
    expect(page.headers.get('location')).toBeNull()
  })

  test('A5 refuses a code without the redirect_uri that it was asked with', async () => {
    const client = await createClient(app.services)
    const code = await codeFor(app, client)
    const answer = await redeem(app, client, code, { redirect_uri: undefined })
    expectNothingGiven(answer)
    expect(answer.json['error']).toMatch(/^invalid_(grant|request)$/)
    expect((await redeem(app, client, code)).status).toBe(200)
  })

  test.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['an unknown scope', { scope: 'openid nonsense' }],
    ['an unknown response type', { response_type: 'nonsense' }],
    ['prompt=none', { prompt: 'none' }],
    ['an unknown prompt', { prompt: 'nonsense' }],
    ['no PKCE method', { code_challenge_method: 'nonsense' }],
    ['a request object', { request: 'x.y.z' }],
    ['form_post', { response_mode: 'form_post', prompt: 'none' }],
    ['the fragment', { response_mode: 'fragment', prompt: 'none' }],
  ])('A7 tells %s on a page where the redirect URI is not registered', async (_, parameters) => {
    const page = await ask(web, 'https://evil.example/cb', parameters)
    expectNothingGiven(page)
    expect(page.status).toBe(400)
    expect(page.headers.get('location')).toBeNull()
    expect(page.body).not.toContain('action="https://evil')
  })

  test('A7 pushes no request with a foreign redirect URI', async () => {
    const answer = await post(`${app.issuer}/par`, {
      client_id: native.client.id,
      response_type: 'code',
      redirect_uri: 'https://evil.example/cb',
      scope: 'openid',
    })
    expectNothingGiven(answer)
    expect(answer.status).toBe(400)
    expect(answer.json).not.toHaveProperty('request_uri')
  })

  test('sends the browser to the registered URI as it is written', async () => {
    const client = await createClient(app.services, { first_party: true })
    const browser = browserSession(app.issuer)
    await codeFor(app, client, {}, browser)
    const page = await browser.open(authorizeUrl(app, client, { prompt: 'none' }))
    expect(locationOf(page).href.startsWith(`${REDIRECT_URI}?code=`)).toBe(true)
  })
})
