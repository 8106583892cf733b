// F37: more sign-ins at once than passwords can be hashed. Some wait, the rest are sent away, and nobody else notices.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, hiddenFields, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, refresh, send, tokensFor } from '../support/protocol.ts'

describe('a flood of sign-ins', () => {
  let app: TestApp
  let client: RegisteredClient

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'), {
      settings: { PASSWORD_HASH_SLOTS: '1', TRUSTED_PROXIES: '127.0.0.0/8,::1' },
    })
    await createPerson(app.services)
    client = await createClient(app.services, { first_party: true, refresh_tokens: 'always' })
  })
  afterAll(() => app.close())

  test('F37 fills one queue and no more: the rest hear 503 with Retry-After, while tokens and JWKS are served', async () => {
    const { refreshToken } = await tokensFor(app, client)
    const browser = browserSession(app.issuer)
    const { url, body } = await browser.open(authorizeUrl(app, client))
    const signIn = (number: number): Promise<Page> =>
      browser.request(`${url}/password`, {
        method: 'POST',
        body: new URLSearchParams({ ...hiddenFields(body), username: `nobody-${number}`, password: PASSWORD }),
        headers: { 'x-forwarded-for': `198.51.100.${number}` },
      })

    const flood = Promise.all(Array.from({ length: 35 }, (_, number) => signIn(number)))
    expect((await refresh(app, client, refreshToken)).status).toBe(200)
    expect((await send(`${app.issuer}/.well-known/jwks.json`)).status).toBe(200)

    const answers = await flood
    const busy = answers.filter(({ status }) => status === 503)
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(35 - busy.length)
    expect(busy.length).toBeGreaterThan(0)
    for (const answer of busy) {
      expect(answer.headers.get('retry-after')).toBe('2')
      expect(errorOf(answer)).toBe('temporarily_unavailable')
    }
  })
})
