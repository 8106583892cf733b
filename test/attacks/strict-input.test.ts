// One gate for what is malformed: every endpoint and page refuses it in the same way, and on both databases.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  basic,
  bearer,
  bystander,
  expectNothingGiven,
  send,
  tokensFor,
  type Answer,
} from '../support/protocol.ts'

const FORM = 'application/x-www-form-urlencoded'

describe.each(databases)('the gate on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(database, { settings: { REGISTRATION: 'open' } })
    await createPerson(app.services)
    web = await createClient(app.services)
    stillWorks = await bystander(app)
  })
  afterAll(async () => {
    await stillWorks()
    await app.close()
  })

  const postTo = (path: string, body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}) =>
    send(`${app.issuer}${path}`, { method: 'POST', body, headers: { 'content-type': FORM, ...headers } })

  const expectRefused = (answer: Answer, status = 400): void => {
    expectNothingGiven(answer)
    expect(answer.status, answer.body).toBe(status)
    expect(answer.json).toMatchObject({ error: 'invalid_request', error_id: expect.any(String) })
    expect(answer.headers.get('location')).toBeNull()
  }

  test.each([
    ['a percent that encodes nothing', '%E0%A4%A'],
    ['an overlong NUL', '%C0%80'],
    ['half a character', '%ED%A0%80'],
    ['a NUL', 'a%00b'],
    ['an escape character', '%1B[2J'],
  ])('A14 refuses %s in the path, the query and the form of every endpoint', async (_, odd) => {
    expectRefused(await send(`${app.issuer}/interaction/${odd}`))
    for (const name of ['state', 'client_id', 'nonsense'])
      expectRefused(await send(`${authorizeUrl(app, web, { [name]: undefined })}&${name}=${odd}`))
    for (const path of ['/token', '/introspect', '/revoke', '/par', '/device_authorization', '/authorize', '/logout'])
      expectRefused(await postTo(path, `token=${odd}&client_id=${odd}`))
  })

  test('A14 shows a person a page, and sends nobody anywhere', async () => {
    const page = await browserSession(app.issuer).open(`${authorizeUrl(app, web)}&login_hint=a%00b`)
    expect(page.status).toBe(400)
    expect(errorOf(page)).toBe('invalid_request')
    expect(page.body).toContain('there is a control character in it')
  })

  test.each([
    ['claims that name a member twice', 'claims={"id_token":{"name":null,"name":{"essential":true}}}'],
    ['claims that reach for the prototype', 'claims={"userinfo":{"__proto__":{"essential":true}}}'],
    ['claims that are nested 10,000 deep', `claims=${'['.repeat(10_000)}`],
    ['claims with a NUL', 'claims={"id_token":{"sub":{"value":"\\u0000"}}}'],
    ['details with half a character', 'authorization_details=[{"type":"\\ud800"}]'],
    ['more parameters than any request has', 'a=b&'.repeat(201)],
  ])('A14 refuses %s, asked or pushed', async (_, odd) => {
    expectRefused(await send(`${authorizeUrl(app, web)}&${odd}`))
    expectRefused(await postTo('/par', odd, basic(web)))
  })

  test.each([
    ['a member twice', '{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}'],
    ['the prototype', '{"redirect_uris":["https://a.example/"],"__proto__":{"type":"web"}}'],
    ['a NUL', '{"redirect_uris":["https://a.example/"],"client_name":"a\\u0000b"}'],
    ['half a character', '{"redirect_uris":["https://a.example/"],"client_name":"\\ud800"}'],
    ['a depth of 100', `{"jwks":${'['.repeat(100)}${']'.repeat(100)}}`],
  ])('A62 refuses software that registers itself with %s', async (_, body) => {
    expectRefused(await postTo('/register', body, { 'content-type': 'application/json' }))
  })

  test.each<[string, Record<string, string>, string | Buffer<ArrayBuffer>, number]>([
    ['another charset', { 'content-type': `${FORM}; charset=utf-16le` }, Buffer.from('token=x', 'utf16le'), 415],
    ['a packed body', { 'content-encoding': 'br' }, 'token=x', 415],
    ['bytes that are no UTF-8', {}, Buffer.from([0x61, 0x3d, 0xff]), 400],
    ['57 kB', {}, `a=${'x'.repeat(58_000)}`, 413],
  ])('A62 refuses %s', async (_, headers, body, status) => {
    for (const path of ['/token', '/par', '/interaction/x/password', '/device']) {
      expectRefused(await postTo(path, body, { ...headers, accept: 'application/json' }), status)
    }
  })

  test('takes what is odd and in order: a body of 50 kB, text of every script, JSON with line ends', async () => {
    const odd = { claims: '{\r\n\t"id_token": {"name": null}\n}', state: '👩‍👩‍👧 ‮ \u2028 ÿ', nonce: 'n'.repeat(40_000) }
    const fields = { ...Object.fromEntries(new URL(authorizeUrl(app, web)).searchParams), ...odd }
    const answer = await postTo('/par', new URLSearchParams(fields).toString(), basic(web))
    expect(answer.status, answer.body).toBe(201)
  })

  test('takes a form that is empty for what it is: the token in the header is read', async () => {
    const { accessToken } = await tokensFor(app, web)
    const answer = await postTo('/userinfo', '', bearer(accessToken))
    expect([answer.status, answer.json['sub']]).toEqual([200, expect.any(String)])
  })
})
