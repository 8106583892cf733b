// What `node tools/conformance.ts` prints for the OpenID Foundation's conformance suite: clients that are registered, and
// commands for a browser that find what they name on our pages.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { browser } from '../../tools/conformance/browser.ts'
import { fapi2Clients } from '../../tools/conformance/fapi2.ts'
import { dynamicClients, openidClients } from '../../tools/conformance/openid.ts'
import { planConfiguration, type SuiteClients } from '../../tools/conformance/plan.ts'
import { createClient, startApp, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl } from '../support/protocol.ts'

const SUITE = 'https://suite.example:8443'

let app: TestApp

beforeAll(async () => {
  app = await startApp(databases[0] ?? expect.fail('no database'), { settings: { REGISTRATION: 'token' } })
})
afterAll(() => app.close())

const fapi2 = (clientAuth: 'private_key_jwt' | 'mtls', signed: boolean) =>
  fapi2Clients({ clientAuth, senderConstrain: 'dpop', signed })

test.each<[string, SuiteClients, readonly string[]]>([
  ['openid', openidClients, ['client_id', 'client_secret']],
  ['dynamic', dynamicClients, ['client_name', 'initial_access_token']],
  ['fapi2', fapi2('private_key_jwt', true), ['client_id', 'scope', 'jwks', 'dpop_signing_alg']],
])('clients of the kind %s are registered for the suite', async (alias, registered, members) => {
  const plan = await planConfiguration(app.services, SUITE, alias, registered)
  expect(plan).toMatchObject({
    alias,
    server: { discoveryUrl: `${app.issuer}/.well-known/openid-configuration` },
    client: Object.fromEntries(members.map((member) => [member, expect.anything()])),
    override: { 'oidcc-prompt-login': { browser: expect.any(Array) } },
  })
  await expect(planConfiguration(app.services, SUITE, alias, registered)).rejects.toMatchObject({ code: 'conflict' })
})

test('the browser finds what it is told to look for', async () => {
  const { username, password } = { username: 'one', password: 'a long walk by the sea' }
  await app.services.accounts.create({ username, email: 'one@example.com' }, password)
  const client = await createClient(app.services, {})
  const session = browserSession(app.issuer)
  const asked = await session.open(authorizeUrl(app, client))
  const consent = await session.submit(asked, { username, password })
  await session.submit(consent, { decision: 'allow' })
  const pages = [asked.body, consent.body, (await session.open(`${app.issuer}/logout`)).body]

  const signIn = { issuer: app.issuer, returnTo: `${SUITE}/test/a/one/callback`, username, password }
  const selectors = browser(signIn)
    .flatMap(({ tasks }) => tasks.flatMap(({ commands }) => commands))
    .flatMap(([, kind, selector]) => (kind === 'css' ? [String(selector)] : []))
    .filter((selector) => selector.startsWith('form#'))
  expect(selectors.length).toBeGreaterThan(3)
  for (const selector of selectors) {
    const [, form = '', tag = '', name = ''] = /^form#([\w-]+) (\w+)(?:\[name=(\w+)\])?/.exec(selector) ?? []
    const page = pages.find((body) => body.includes(`id="${form}"`)) ?? ''
    expect(page, selector).toContain(`<${tag}`)
    expect(page, selector).toContain(name === '' ? 'class="primary"' : `name="${name}"`)
  }
})
