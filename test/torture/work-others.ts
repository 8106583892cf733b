// Sign-ins and sign-outs, people and clients that are made, assertions, backchannel requests.
import { randomUUID } from 'node:crypto'
import { REDIRECT_URI } from '../support/app.ts'
import { asserted } from '../support/assertion.ts'
import { askFor, createPollingClient, openRequest, pollFor } from '../support/backchannel.ts'
import { browserSession } from '../support/browser-session.ts'
import { authorizeUrl } from '../support/protocol.ts'
import { registering } from '../support/registration.ts'
import { codeBySession, codeBySignIn, expected, refusedWith } from './asking.ts'
import type { Work } from './work.ts'

/** A browser of its own signs in; one in three signs out again. */
export async function signIns({ world: { app, client }, ledger, random }: Work): Promise<void> {
  const browser = browserSession(app.issuer)
  const key = randomUUID()
  await codeBySignIn(app, client, browser)
  ledger.write('sign-in', 'stands', key, async () => {
    await codeBySession(app, client, browser)
    return undefined
  })
  if (!random.chance(0.3)) return

  const question = expected(200, await browser.open(`${app.issuer}/logout`))
  ledger.strike(key)
  expected(200, await browser.submit(question, { logout: 'yes' }))
  ledger.write('sign-out', 'is spent', key, async () => {
    const location = (await browser.open(authorizeUrl(app, client, { prompt: 'none' }))).headers.get('location') ?? ''
    return location.includes('error=login_required') ? undefined : `the browser is still signed in: ${location}`
  })
}

/** People are made beside the server; every other one is disabled. */
export async function people({ world: { app }, ledger, random }: Work): Promise<void> {
  const { accounts } = app.services
  const { id } = await accounts.create({ email: `${randomUUID()}@example.com` })
  ledger.write('person', 'stands', id, async () => ((await accounts.findById(id)) ? undefined : 'nobody is there'))
  if (random.chance(0.5)) return
  ledger.strike(id)
  await accounts.disable(id)
  ledger.write('disabled person', 'stands', id, async () =>
    (await accounts.findById(id))?.disabled ? undefined : 'the person is enabled',
  )
}

/** A client assertion (RFC 7523) is taken once. */
export async function assertions({ world: { app, asserting }, ledger }: Work): Promise<void> {
  const assertion = await asserting.assertion({})
  expected(200, await asserted(app, assertion))
  ledger.write('used assertion', 'is spent', assertion, async () =>
    refusedWith('invalid_client', await asserted(app, assertion)),
  )
}

/** A registration token for one client. */
export async function registrations({ world: { app }, ledger }: Work): Promise<void> {
  const { value } = await app.services.registrationTokens.create({ uses: 1 })
  const register = () => registering(() => app.issuer).register({ redirect_uris: [REDIRECT_URI] }, value)
  const { json } = expected(201, await register())
  const id = String(json['client_id'])
  ledger.write('registered client', 'stands', id, async () =>
    (await app.services.clients.find(id)) ? undefined : 'it is gone',
  )
  ledger.write('used registration token', 'is spent', value, async () => refusedWith('invalid_token', await register()))
}

/** Ada approves what a client asks for without a browser; every other answer is fetched at once. */
export async function backchannelRequests({ world: { app }, ledger, random, browser }: Work): Promise<void> {
  const client = await createPollingClient(app, { name: `Till ${randomUUID()}` })
  const id = String(expected(200, await askFor(app, client)).json['auth_req_id'])
  const question = expected(200, await openRequest(app, browser, id))
  expected(200, await browser.submit(question, { decision: 'approve' }))
  const polled = () => pollFor(app, client, id)
  const use = async (): Promise<undefined> => {
    expected(200, await polled())
    ledger.write('used approved request', 'is spent', id, async () => refusedWith('invalid_grant', await polled()))
  }
  ledger.write('approved request', 'works once', id, use)
  if (random.chance(0.5)) return
  ledger.strike(id)
  await use()
}
