/**
 * A small application that lets people sign in with an OpenID Connect provider: one page with one button, then the
 * claims that came back, and the way out. It is written to be copied, and uses openid-client and node:http only.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import * as oidc from 'openid-client'
import { failurePage, personPage, startPage } from './pages.ts'

export interface RelyingPartySettings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Where this application is reached, without a final slash. `/callback` below it is its redirect URI. */
  readonly origin: string
}

/** What was sent along with the request and has to be found again in the answer. */
interface Checks {
  readonly pkceCodeVerifier: string
  readonly expectedState: string
  readonly expectedNonce: string
}

interface Session {
  readonly startedAt: number
  readonly checks?: Checks
  readonly signedIn?: {
    readonly idToken: string
    readonly claims: oidc.IDToken
    readonly userinfo: oidc.UserInfoResponse
  }
}

const SESSION_MS = 3_600_000
const STYLE = readFileSync(new URL('relying-party.css', import.meta.url))

/** Asks the provider's discovery document once, and gives the application as a request listener. */
export async function relyingParty({
  issuer,
  clientId,
  clientSecret,
  origin,
}: RelyingPartySettings): Promise<RequestListener> {
  const provider = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    // http is for trying out on one machine; enableNonRepudiationChecks verifies the ID token's signature all the same
    execute: [...(issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : []), oidc.enableNonRepudiationChecks],
  })
  // in memory, so a restart signs everybody out of this application; yours will have a better place
  const sessions = new Map<string, Session>()

  async function beginSignIn(res: ServerResponse): Promise<void> {
    const checks = {
      pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
      expectedState: oidc.randomState(),
      expectedNonce: oidc.randomNonce(),
    }
    newSession(res, { checks })
    const url = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: `${origin}/callback`,
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
    })
    redirect(res, url.href)
  }

  async function finishSignIn(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { id, session } = currentSession(req)
    // an answer is taken once, and only in the browser that asked
    sessions.delete(id)
    if (!session?.checks) return send(res, 400, failurePage('There is no sign-in under way in this browser.'))
    try {
      const tokens = await oidc.authorizationCodeGrant(provider, new URL(req.url ?? '', origin), {
        ...session.checks,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (!claims || tokens.id_token === undefined) throw new Error('openid-client promised an ID token')
      const userinfo = await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)
      // a new id, so that nobody who knew the old one is signed in with it
      newSession(res, { signedIn: { idToken: tokens.id_token, claims, userinfo } })
      redirect(res, '/')
    } catch (error) {
      send(res, 400, failurePage(reasonOf(error)))
    }
  }

  function signOut(req: IncomingMessage, res: ServerResponse): void {
    const { id, session } = currentSession(req)
    sessions.delete(id)
    if (!session?.signedIn) return redirect(res, '/')
    // here the person is signed out now; the provider asks whether to sign out there as well, and sends them back
    const url = oidc.buildEndSessionUrl(provider, {
      id_token_hint: session.signedIn.idToken,
      post_logout_redirect_uri: `${origin}/`,
    })
    redirect(res, url.href)
  }

  function showPage(req: IncomingMessage, res: ServerResponse): void {
    const { session } = currentSession(req)
    send(res, 200, session?.signedIn ? personPage(session.signedIn) : startPage(issuer))
  }

  function newSession(res: ServerResponse, content: Omit<Session, 'startedAt'>): void {
    const now = Date.now()
    for (const [id, { startedAt }] of sessions) if (startedAt < now - SESSION_MS) sessions.delete(id)
    const id = randomBytes(32).toString('base64url')
    sessions.set(id, { startedAt: now, ...content })
    // Lax: the cookie comes along when the provider sends the browser back, and with no form of another site
    const secure = origin.startsWith('https:') ? '; Secure' : ''
    res.setHeader('Set-Cookie', `sample_session=${id}; Path=/; HttpOnly; SameSite=Lax${secure}`)
  }

  function currentSession(req: IncomingMessage): { id: string; session: Session | undefined } {
    const id = /(?:^|;\s*)sample_session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''
    const session = sessions.get(id)
    return { id, session: session && session.startedAt > Date.now() - SESSION_MS ? session : undefined }
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const route = `${req.method} ${URL.parse(req.url ?? '', origin)?.pathname}`
    if (route === 'GET /') showPage(req, res)
    else if (route === 'POST /sign-in') await beginSignIn(res)
    else if (route === 'GET /callback') await finishSignIn(req, res)
    else if (route === 'POST /sign-out') signOut(req, res)
    else if (route === 'GET /style.css') res.setHeader('Content-Type', 'text/css').end(STYLE)
    else send(res, 404, failurePage('There is no such page.'))
  }

  return (req, res) => {
    answer(req, res).catch((error: unknown) => send(res, 500, failurePage(reasonOf(error))))
  }
}

function reasonOf(error: unknown): string {
  // what the provider said instead of a code, such as access_denied
  if (error instanceof oidc.AuthorizationResponseError) return error.error_description ?? error.error
  return error instanceof Error ? error.message : String(error)
}

function redirect(res: ServerResponse, location: string): void {
  res.writeHead(303, { Location: location, 'Cache-Control': 'no-store' }).end()
}

function send(res: ServerResponse, status: number, html: string): void {
  res
    .writeHead(status, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    })
    .end(html)
}
