// latchkey explain: both sides of what was refused, and what it cannot explain.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorIdIn } from '#features/explain/error-id.ts'
import { differenceOf } from '#features/explain/difference.ts'
import { createClient, REDIRECT_URI } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { explainScene, toldId, type ExplainScene } from '../support/explain.ts'
import { authorizeUrl } from '../support/protocol.ts'

describe.each(databases)('on $name, explain', (database) => {
  let scene: ExplainScene

  beforeAll(async () => void (scene = await explainScene(database)))
  afterAll(() => scene.app.close())

  test('shows both sides, and marks each character of an address that differs', async () => {
    const { app, web, browser } = scene
    const page = await browser.open(authorizeUrl(app, web, { redirect_uri: 'http://localhost:8/calback' }))
    const { stdout } = await scene.explain('(error', 'id:', `${toldId(page).toUpperCase()})`)
    expect(stdout).toContain(
      [
        'redirect_uri, character by character:',
        '  received    http://localhost:8/cal·back',
        '  registered  http://localhost:9/callback',
        '                               ^    ^',
      ].join('\n'),
    )
    expect(stdout).toMatch(new RegExp(`client_id +${web.client.id} +${web.client.id} \\(Reading list\\)`))
    expect(stdout).toMatch(/scope +openid profile email +openid profile email offline_access/)
  })

  test('refuses an id that nobody was told, and one of a request that was not refused', async () => {
    expect(await scene.explain('000000000000')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('AUDIT_RETENTION_SECONDS'),
    })
    expect(await scene.explain('access_denied')).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/^There is no error id in this\.\nAn error id has 12/),
    })
    const [signedIn] = (await scene.app.services.auditTrail.list({ type: 'sign_in.succeeded' })).items
    expect(await scene.explain(signedIn?.request_id ?? '')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('was not refused'),
    })
  })

  test('says that the application was changed since', async () => {
    const { app, browser } = scene
    const client = await createClient(app.services)
    const page = await browser.open(authorizeUrl(app, client, { redirect_uri: 'https://new.example/' }))
    await app.services.clients.update(client.client.id, { redirect_uris: [REDIRECT_URI, 'https://new.example/'] })
    await app.services.database.db
      .updateTable('clients')
      .set({ updated_at: 4_000_000_000 })
      .where('id', '=', client.client.id)
      .execute()
    expect((await scene.explain(toldId(page))).stdout).toContain('was changed since')
  })
})

test.each([
  ['the id', 'w0xx8g1q3m5z'],
  ['in capitals, with letters for digits', ' WoXX8GLQ3M5Z '],
  ['the words that were told', 'a scope is missing (error id: w0xx8g1q3m5z)'],
  ['the words, without quotes', 'error id: w0xx8g1q3m5z'],
  ['an answer', '{"error":"invalid_grant","error_description":"x","error_id":"w0xx8g1q3m5z"}'],
  ['a line of the log', '{"level":"info","request_id":"w0xx8g1q3m5z"}'],
  ['a header', 'X-Request-Id: w0xx8g1q3m5z'],
  ['a page', '<main data-error="expired" data-error-id="w0xx8g1q3m5z">'],
  ['an address', 'http://a/cb?error=x&error_description=y+%28error+id%3A+w0xx8g1q3m5z%29&state=abcdefabcdef'],
  ['an address with other spaces', 'Location: http://a/cb#error_description=y%20%28error%20id%3a%20w0xx8g1q3m5z%29'],
  [
    'an address in an address',
    'http://b/?to=http%3A%2F%2Fa%2F%3Ferror_description%3D%2528error%2Bid%253A%2Bw0xx8g1q3m5z%2529',
  ],
  [
    'an address that held another one',
    'http://a/?x=error+id%3A+aaaaaaaaaaaa&error_description=%28error+id%3A+w0xx8g1q3m5z%29',
  ],
])('finds the id in %s', (_, pasted) => {
  expect(errorIdIn(pasted)).toBe('w0xx8g1q3m5z')
})

test.each(['', 'access_denied', 'w0xx8g1q3m5', 'w0xx8g1q3m5zz', 'registration refused', '%', 'error id:'])(
  'finds none in %j',
  (pasted) => expect(errorIdIn(pasted)).toBeUndefined(),
)

test.each([
  ['abc', 'abc', 'abc', 'abc', ''],
  ['abc/', 'abc', 'abc/', 'abc·', '   ^'],
  ['http://a', 'https://a', 'http·://a', 'https://a', '    ^'],
  ['abd', 'abc', 'abd', 'abc', '  ^'],
  ['', 'ab', '··', 'ab', '^^'],
])('marks what is different between %j and %j', (received, registered, above, below, marks) => {
  expect(differenceOf(received, registered)).toEqual({ received: above, registered: below, marks })
})
