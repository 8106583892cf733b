// Delivery by ping (CIBA Core 1.0 §10.2): after the person's answer the client is told that it may come for it.
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { answer, asked, askFor, createPollingClient, openApprovals, pollFor } from '../support/backchannel.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { databases } from '../support/databases.ts'
import { stopped } from '../support/outbound.ts'
import { relyingParty } from '../support/relying-party.ts'

const TOKEN = 'a-notification-token-of-the-client'

interface Ping {
  readonly authorization: string | undefined
  readonly type: string | undefined
  readonly body: string
}

describe.each(databases)('delivery by ping on $name', (database) => {
  const trusted = tls.getCACertificates('default')
  let app: TestApp
  let receiver: Server
  let pings: Ping[] = []
  let behaviour: 'take' | 'refuse' | 'hang' | 'redirect' = 'take'
  let client: RegisteredClient
  let ada: BrowserSession

  beforeAll(async () => {
    const { certificate, key } = await certificateOfLocalhost()
    tls.setDefaultCACertificates([...trusted, certificate])
    receiver = createServer({ cert: certificate, key }, (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { authorization, 'content-type': type } = request.headers
        pings.push({ authorization, type, body })
        if (behaviour === 'take') response.writeHead(204).end()
        if (behaviour === 'refuse') response.writeHead(500).end()
        if (behaviour === 'redirect') response.writeHead(307, { location: '/elsewhere' }).end()
      })
    })
    receiver.listen(0, 'localhost')
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo
    app = await startApp(database, { settings: { OUTBOUND_ALLOW: '127.0.0.1,::1' } })
    await createPerson(app.services)
    client = await createPollingClient(app, {
      ciba: 'ping',
      metadata: { backchannel_client_notification_endpoint: `https://localhost:${port}/ciba` },
    })
    ada = browserSession(app.issuer)
    await openApprovals(app, ada)
  })
  afterAll(async () => {
    tls.setDefaultCACertificates(trusted)
    await stopped(receiver)
    await app.close()
  })

  const ask = (): Promise<string> => {
    pings = []
    return asked(app, client, { client_notification_token: TOKEN })
  }

  test('tells the client, with its own token, that it may come; openid-client gets its tokens', async () => {
    const { config } = await relyingParty(app.issuer, client)
    behaviour = 'take'
    pings = []
    const started = await oidc.initiateBackchannelAuthentication(config, {
      scope: 'openid',
      login_hint: 'ada',
      client_notification_token: TOKEN,
    })
    expect(pings).toEqual([])
    await answer(app, ada, started.auth_req_id)
    expect(pings).toEqual([
      {
        authorization: `Bearer ${TOKEN}`,
        type: 'application/json',
        body: JSON.stringify({ auth_req_id: started.auth_req_id }),
      },
    ])
    const tokens = await oidc.pollBackchannelAuthenticationGrant(config, started)
    expect(tokens.claims()).toMatchObject({ aud: client.client.id })
  }, 30_000)

  test('tells it of a no as well', async () => {
    behaviour = 'take'
    const id = await ask()
    await answer(app, ada, id, 'deny')
    expect(pings).toHaveLength(1)
    expect((await pollFor(app, client, id)).json['error']).toBe('access_denied')
  })

  test.each(['refuse', 'hang', 'redirect'] as const)(
    'keeps the answer, and the person’s page, where the client’s address would %s',
    async (what) => {
      behaviour = what
      const id = await ask()
      const page = await answer(app, ada, id)
      expect([page.status, page.body]).toEqual([200, expect.stringContaining('You approved this request')])
      expect(pings).toHaveLength(1)
      expect((await pollFor(app, client, id)).status).toBe(200)
    },
    10_000,
  )

  test('reaches no private address that the operator did not open', async () => {
    const closed = await startApp(database)
    await createPerson(closed.services)
    const { metadata } = client.client
    const other = await createPollingClient(closed, {
      ciba: 'ping',
      metadata: {
        backchannel_client_notification_endpoint: metadata['backchannel_client_notification_endpoint'],
      },
    })
    behaviour = 'take'
    pings = []
    const id = await asked(closed, other, { client_notification_token: TOKEN })
    await answer(closed, browserSession(closed.issuer), id)
    expect(pings).toEqual([])
    expect((await pollFor(closed, other, id)).status).toBe(200)
    await closed.close()
  })

  test.each([
    ['without a notification token', undefined],
    ['with one that is no bearer token', 'two words'],
    ['with one that is too long', 'x'.repeat(1_025)],
  ])('refuses a request %s', async (_how, token) => {
    const refused = await askFor(app, client, { client_notification_token: token })
    expect([refused.status, refused.json['error']]).toEqual([400, 'invalid_request'])
  })
})
