// A client of the public Model Context Protocol SDK signs in without being registered by hand, to the server that
// docs/guides/mcp-server.md shows: once by registering itself, once by a metadata document.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { UnauthorizedError, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Account } from '#core/accounts/account.ts'
import { createPerson, REDIRECT_URI, startApp, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { openDocumentHost, type DocumentHost } from '../support/document-host.ts'
import { freePort } from '../support/free-port.ts'
import { bearer, send } from '../support/protocol.ts'
import { authorize, signIn } from '../support/relying-party.ts'
import { followGuide, scratchFolder } from '../docs/guide-pages.ts'

const PAGE = 'docs/guides/mcp-server.md'
const WAYS = [
  { way: 'registers itself', origin: 'dynamic' },
  { way: 'has a metadata document', origin: 'metadata_document' },
] as const

describe('a Model Context Protocol client', () => {
  const scratch = scratchFolder()
  let app: TestApp
  let host: DocumentHost
  let ada: Account
  let server: ChildProcess
  let address: string

  beforeAll(async () => {
    host = await openDocumentHost()
    app = await startApp(databases[0] ?? expect.fail('no database'), {
      settings: {
        REGISTRATION: 'open',
        CLIENT_ID_METADATA_DOCUMENT_HOSTS: 'localhost',
        OUTBOUND_ALLOW: '127.0.0.1,::1',
      },
    })
    ada = await createPerson(app.services)
    const port = String(await freePort())
    const guide = await followGuide(app, PAGE, (text) => text.replaceAll('8080', port))
    address = `http://localhost:${port}/mcp`
    const file = scratch.write('server.mjs', guide.fileOf('none', 'server.mjs'))
    server = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (server.stdout) await once(server.stdout, 'data')
  })
  afterAll(async () => {
    server.kill()
    scratch.remove()
    await app.close()
    await host.close()
  })

  test.each(WAYS)('that $way signs in, and its tool answers', async ({ origin }) => {
    const metadata = {
      client_name: 'Fieldnotes',
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
    const document = origin === 'dynamic' ? undefined : host.put('/fieldnotes.json', metadata)
    const signedOut = remembering(metadata, document)

    const first = new StreamableHTTPClientTransport(new URL(address), { authProvider: signedOut })
    await expect(new Client({ name: 'fieldnotes', version: '1.0.0' }).connect(first)).rejects.toThrow(UnauthorizedError)
    const url = signedOut.sentTo ?? expect.fail('nobody was sent to sign in')
    expect(url.searchParams.get('resource')).toBe(address)
    const browser = browserSession(app.issuer)
    const consent = await signIn(browser, await browser.open(url.href))
    expect(consent.body).toContain('Use “Notes” in your name')
    expect(consent.body).toContain('nobody here has checked who makes it')
    const callback = await authorize(browser, url.href)
    await first.finishAuth(callback.searchParams.get('code') ?? '')

    const client = new Client({ name: 'fieldnotes', version: '1.0.0' })
    await client.connect(new StreamableHTTPClientTransport(new URL(address), { authProvider: signedOut }))
    expect((await client.callTool({ name: 'whoami' })).content).toEqual([{ type: 'text', text: `You are ${ada.id}` }])
    await client.close()

    const tokens = signedOut.tokens() ?? expect.fail('no tokens came')
    expect(tokens.refresh_token).toBeTruthy()
    const id = String(decodeJwt(tokens.access_token)['client_id'])
    expect(id).toBe(document ?? signedOut.clientInformation()?.client_id)
    expect(await app.services.clients.get(id)).toMatchObject({ name: 'Fieldnotes', origin, type: 'spa' })
  })

  test('is told where to sign in, and other tokens open nothing', async () => {
    const { status, headers } = await send(address, { method: 'POST', headers: bearer('x') })
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('/.well-known/oauth-protected-resource/mcp'),
    ])
  })
})

/** A client's memory, as the SDK wants it. */
function remembering(clientMetadata: OAuthClientProvider['clientMetadata'], clientMetadataUrl: string | undefined) {
  const kept: { client?: OAuthClientInformationMixed; tokens?: OAuthTokens; verifier?: string } = {}
  const provider = {
    sentTo: undefined as URL | undefined,
    redirectUrl: REDIRECT_URI,
    clientMetadata,
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    clientInformation: () => kept.client,
    saveClientInformation: (client: OAuthClientInformationMixed) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens: OAuthTokens) => void (kept.tokens = tokens),
    saveCodeVerifier: (verifier: string) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    redirectToAuthorization: (url: URL) => void (provider.sentTo = url),
  }
  return provider satisfies OAuthClientProvider
}
