// A single-page app in a real browser, with oidc-client-ts as the guide says: sign-in, renewal, sign-out, across origins.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { followGuide } from '../docs/guide-pages.ts'
import { ROOT } from '../docs/markdown.ts'
import { createPerson, PASSWORD, startApp, type TestApp } from '../support/app.ts'
import { chromiumPath, launchBrowser } from '../support/browser.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { listen } from './page-check.ts'
import { fillIn } from './world.ts'

const LIBRARY = path.join(ROOT, 'node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js')
const PAGE = `<!doctype html><title>Reading list</title><p id="person"></p><button id="renew">Renew</button>
<button id="leave">Sign out</button><script src="/oidc-client-ts.js"></script><script type="module">
import { manager, person } from '/auth.js'
const show = ({ name, email }) => { document.querySelector('#person').textContent = name + ', ' + email }
document.querySelector('#renew').onclick = async () => {
  const before = (await manager.getUser()).access_token
  const { access_token: after, profile } = await manager.signinSilent()
  show({ name: before === after ? 'the same token' : 'a new token', email: profile.email })
}
document.querySelector('#leave').onclick = () => manager.signoutRedirect()
const profile = await person(); if (profile) show(profile)
</script>`

const [sqlite] = databases

describe.skipIf(!chromiumPath)('a single-page app with oidc-client-ts', () => {
  let app: TestApp
  let browser: Browser

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
    await createPerson(app.services)
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await app.close()
  })

  test('signs a person in, renews the tokens and signs out', async () => {
    const port = await freePort()
    const origin = `http://localhost:${port}`
    const guide = await followGuide(app, 'docs/guides/single-page-app.md', (text) =>
      text.replaceAll('localhost:5173', `localhost:${port}`),
    )
    // the script of the page takes the place of a bundler
    const script = guide.fileOf('spa', 'auth.js').replace(/^import .*$/m, 'const { UserManager } = globalThis.oidc')
    const files = new Map([
      ['/oidc-client-ts.js', readFileSync(LIBRARY, 'utf8')],
      ['/auth.js', script],
    ])
    const site = createServer((request, response) => {
      const file = files.get(request.url ?? '')
      response.setHeader('content-type', file === undefined ? 'text/html' : 'text/javascript')
      response.end(file ?? PAGE)
    })
    await new Promise<void>((resolve) => site.listen(port, 'localhost', resolve))
    onTestFinished(() => void site.close())

    const context = await browser.newContext()
    const noise = listen(context, [app.issuer, origin])
    const page = await context.newPage()
    await page.goto(origin)
    await fillIn(page, '[name=username]', 'ada')
    await fillIn(page, '[name=password]', PASSWORD)
    await page.click('button.primary')
    await page.click('#consent [value=allow]')
    await page.getByText('Ada Byron, ada@example.com').waitFor()

    await page.click('#renew')
    await page.getByText('a new token, ada@example.com').waitFor()

    await page.click('#leave')
    await page.click('#logout [name=logout]')
    await page.waitForSelector('#sign-in') // the app asks again as soon as it is back
    expect(noise).toEqual([])
    await context.close()
  })
})
