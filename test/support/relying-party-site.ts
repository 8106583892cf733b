// A relying party with pages, for browser tests: it sends the browser to sign in, reads the answer with a real client
// library, and shows what it learned. It stands on an origin of its own, as relying parties do.
import { createServer, type ServerResponse } from 'node:http'
import * as oidc from 'openid-client'
import { createClient, type TestApp } from './app.ts'
import { relyingParty, type Begun, type RelyingParty } from './relying-party.ts'

export interface RelyingPartySite {
  readonly origin: string
  readonly clientId: string
  /** Opening it begins an authorization request with these parameters. */
  signIn(parameters?: Readonly<Record<string, string>>): string
  /** Opening it begins RP-Initiated Logout 1.0 with the ID token that was seen last. */
  signOut(parameters?: Readonly<Record<string, string>>): string
  /** Where a finished logout arrives. */
  readonly signedOut: string
  close(): Promise<void>
}

/** Starts the site and registers it as a client with these settings. Pages: `#claims` holds JSON, `#error` a code. */
export async function openSite(
  app: TestApp,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<RelyingPartySite> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', origin)
    answer(url, response).catch((error: unknown) => {
      show(response, 'Not signed in', `<p id="error">${error instanceof Error ? codeOf(error) : 'unknown'}</p>`)
    })
  })
  const origin = await new Promise<string>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, 'localhost', () => {
      const address = server.address()
      if (address !== null && typeof address === 'object') resolve(`http://localhost:${address.port}`)
    })
  })
  const callback = `${origin}/callback`
  const signedOut = `${origin}/signed-out`
  const registered = await createClient(app.services, {
    redirect_uris: [callback],
    post_logout_redirect_uris: [signedOut],
    ...settings,
  })
  const rp = await relyingParty(app.issuer, registered)
  const answer = pages(rp, callback)

  return {
    origin,
    clientId: registered.client.id,
    signedOut,
    signIn: (parameters = {}) => `${origin}/sign-in?${new URLSearchParams(parameters).toString()}`,
    signOut: (parameters = {}) => `${origin}/sign-out?${new URLSearchParams(parameters).toString()}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Requests are told apart by their state, so that two tabs may be under way at once. */
function pages(rp: RelyingParty, callback: string): (url: URL, response: ServerResponse) => Promise<void> {
  const underWay = new Map<string, Begun>()
  let idToken = ''

  return async (url, response) => {
    const parameters = Object.fromEntries(url.searchParams)
    switch (url.pathname) {
      case '/sign-in': {
        const begun = await rp.begin({ redirect_uri: callback, ...parameters })
        underWay.set(begun.checks.expectedState, begun)
        return redirect(response, begun.url)
      }
      case '/callback': {
        const begun = underWay.get(parameters['state'] ?? '')
        if (!begun) throw new Error('this request was not begun here')
        const tokens = await rp.redeem(url, begun)
        idToken = tokens.id_token ?? ''
        const claims = JSON.stringify(tokens.claims()).replaceAll('<', '\\u003c')
        return show(response, 'Signed in', `<pre id="claims">${claims}</pre>`)
      }
      case '/sign-out':
        return redirect(response, oidc.buildEndSessionUrl(rp.config, { id_token_hint: idToken, ...parameters }).href)
      case '/signed-out':
        return show(response, 'Goodbye', '')
      default:
        response.writeHead(404).end()
    }
  }
}

/** The code of an error answer (RFC 6749 §4.1.2.1), or the message of anything else. */
function codeOf(error: Error): string {
  return error instanceof oidc.AuthorizationResponseError ? error.error : error.message
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end()
}

function show(response: ServerResponse, title: string, content: string): void {
  const icon = '<link rel="icon" href="data:,">' // or the browser asks for one
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(`<!doctype html><html lang="en"><title>${title}</title>${icon}<h1>${title}</h1>${content}</html>`)
}
