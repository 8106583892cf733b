// The page at the issuer's own address, and the page where there is none.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { answer, asked, createPollingClient, openApprovals } from '../support/backchannel.ts'
import { browserSession, errorOf, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { send } from '../support/protocol.ts'

describe('the home page', () => {
  let app: TestApp

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
  })
  afterAll(() => app.close())

  test('tells developers where the metadata is', async () => {
    const page = await browserSession(app.issuer).open(`${app.issuer}/`)
    expect(page.status).toBe(200)
    expect(page.body).toContain(`href="${app.issuer}/.well-known/openid-configuration"`)
    expect(page.body).toMatch(/<html lang="en">[\s\S]*<title>[^<]+<\/title>[\s\S]*<h1>/)
    expect(page.headers.getSetCookie()).toEqual([])
  })

  test('leads whoever is signed in to what waits for their approval, and nobody else', async () => {
    await createPerson(app.services)
    const till = await createPollingClient(app)
    const [ada, stranger] = [browserSession(app.issuer), browserSession(app.issuer)]
    await openApprovals(app, ada)
    const sees = async (browser: BrowserSession) =>
      (await browser.open(`${app.issuer}/`)).body.includes('href="/approvals"')
    expect([await sees(ada), await sees(stranger)]).toEqual([false, false])
    const id = await asked(app, till)
    expect([await sees(ada), await sees(stranger)]).toEqual([true, false])
    await answer(app, ada, id, 'deny')
    expect(await sees(ada)).toBe(false)
  })

  test('says calmly that there is nothing at another address, as a page or as JSON', async () => {
    const page = await browserSession(app.issuer).open(`${app.issuer}/nowhere`)
    expect([page.status, errorOf(page)]).toEqual([404, 'not_found'])
    expect(page.body).toMatch(/data-error-id="[0-9a-z]{12}"/)
    const answer = await send(`${app.issuer}/nowhere`)
    expect([answer.status, answer.json['error']]).toEqual([404, 'not_found'])
    expect(answer.json['error_id']).toBe(answer.headers.get('x-request-id'))
  })

  test('serves its stylesheet under a name that changes with it, for ever', async () => {
    const { body } = await browserSession(app.issuer).open(`${app.issuer}/`)
    const href = /href="([^"]+\.css)"/.exec(body)?.[1] ?? ''
    const answer = await send(app.issuer + href)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8')
  })
})
