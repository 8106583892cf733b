// Sectors of several hosts (OpenID Connect Core 1.0 §8.1, Dynamic Client Registration 1.0 §5): whoever owns the host of
// the document says who belongs to it.
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type TestApp } from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { databases } from '../support/databases.ts'
import { tokensFor } from '../support/protocol.ts'

const [SHOP, NEWS] = ['https://shop.example/callback', 'https://news.example/callback']

describe.each(databases)('a sector of several hosts on $name', (database) => {
  const trusted = tls.getCACertificates('default')
  const answers: Record<string, readonly [status: number, body: string]> = {
    '/sector': [200, JSON.stringify([SHOP, NEWS])],
    '/short': [200, JSON.stringify([SHOP])],
    '/text': [200, 'shop and news'],
    '/object': [200, JSON.stringify({ redirect_uris: [SHOP, NEWS] })],
    '/gone': [404, JSON.stringify([SHOP, NEWS])],
  }
  let documents: Server
  let at: (path: string) => string
  let app: TestApp
  let browser: BrowserSession

  beforeAll(async () => {
    const { certificate, key } = await certificateOfLocalhost()
    tls.setDefaultCACertificates([...trusted, certificate])
    documents = createServer({ cert: certificate, key }, (request, response) => {
      const [status, body] = answers[request.url ?? ''] ?? [404, '']
      response.writeHead(status).end(body)
    })
    await new Promise<void>((resolve) => documents.listen(0, '127.0.0.1', resolve))
    const { port } = documents.address() as AddressInfo
    at = (path) => `https://localhost:${port}${path}`
    app = await startApp(database, { settings: { OUTBOUND_ALLOW: '127.0.0.1' } })
    await createPerson(app.services)
    browser = browserSession(app.issuer)
  })
  afterAll(async () => {
    await app.close()
    tls.setDefaultCACertificates(trusted)
    documents.close()
    documents.closeAllConnections()
  })

  const register = (redirectUris: readonly string[], path: string) =>
    createClient(app.services, {
      redirect_uris: redirectUris,
      first_party: true,
      metadata: { subject_type: 'pairwise', sector_identifier_uri: at(path) },
    })
  const subjectAt = async (client: Awaited<ReturnType<typeof register>>, uri: string) =>
    decodeJwt((await tokensFor(app, client, { redirect_uri: uri }, browser)).idToken).sub

  test('knows a person by one subject at all of them, and in all of its clients', async () => {
    const both = await register([SHOP, NEWS], '/sector')
    const subject = await subjectAt(both, SHOP)
    expect(await subjectAt(both, NEWS)).toBe(subject)
    expect(await subjectAt(await register([NEWS], '/sector'), NEWS)).toBe(subject)
    const alone = await createClient(app.services, {
      redirect_uris: [SHOP],
      first_party: true,
      metadata: { subject_type: 'pairwise' },
    })
    expect(await subjectAt(alone, SHOP)).not.toBe(subject)
  })

  test.each([
    ['/short', `does not list ${NEWS}`],
    ['/text', 'no JSON list'],
    ['/object', 'no JSON list'],
    ['/gone', 'status 404'],
  ])('refuses a client whose document is %s', async (path, reason) => {
    await expect(register([SHOP, NEWS], path)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(reason),
    })
  })

  test('refuses a document inside the network of the operator, and one that is not there', async () => {
    for (const address of ['https://10.0.0.1/sector', 'https://127.0.0.1:1/sector', 'http://shop.example/sector'])
      await expect(
        createClient(app.services, {
          redirect_uris: [SHOP],
          metadata: { subject_type: 'pairwise', sector_identifier_uri: address },
        }),
      ).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('refuses a redirect URI that is added later and not listed', async () => {
    const { client } = await register([SHOP], '/short')
    await expect(app.services.clients.update(client.id, { redirect_uris: [SHOP, NEWS] })).rejects.toMatchObject({
      message: expect.stringContaining(`does not list ${NEWS}`),
    })
    await app.services.clients.update(client.id, { name: 'The shop' })
  })
})
