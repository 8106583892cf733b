// A relying party that uses openid-client the way its documentation says.
import * as oidc from 'openid-client'
import type { BrowserSession, Page } from './browser-session.ts'
import { locationOf } from './browser-session.ts'
import { PASSWORD, REDIRECT_URI, type RegisteredClient } from './app.ts'

export interface RelyingParty {
  readonly config: oidc.Configuration
  /** A fresh authorization request with PKCE, state and nonce, and what is needed to judge its answer. */
  begin(parameters?: Readonly<Record<string, string>>): Promise<Begun>
  /** Redeems the code of a callback URL; checks state, iss, nonce, signature. */
  redeem(callback: URL, begun: Begun): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>
}

export interface Begun {
  readonly url: string
  readonly checks: { readonly pkceCodeVerifier: string; readonly expectedState: string; readonly expectedNonce: string }
}

/** Finds the provider by discovery. Public clients have no secret. */
export async function relyingParty(issuer: string, { client, secret }: RegisteredClient): Promise<RelyingParty> {
  const config = await oidc.discovery(
    new URL(issuer),
    client.id,
    secret,
    secret === undefined ? oidc.None() : undefined,
    {
      execute: [oidc.allowInsecureRequests],
    },
  )
  oidc.enableNonRepudiationChecks(config)
  return {
    config,
    async begin(parameters = {}) {
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
      const expectedState = oidc.randomState()
      const expectedNonce = oidc.randomNonce()
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT_URI,
        scope: 'openid profile email',
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        nonce: expectedNonce,
        ...parameters,
      })
      return { url: url.href, checks: { pkceCodeVerifier, expectedState, expectedNonce } }
    },
    redeem: (callback, { checks }) => oidc.authorizationCodeGrant(config, callback, checks),
  }
}

/** Signs in on the password page. */
export function signIn(browser: BrowserSession, page: Page, username = 'ada', password = PASSWORD): Promise<Page> {
  return browser.submit(page, { username, password })
}

/** Goes through sign-in and consent, whichever are asked, and gives the callback URL. */
export async function authorize(browser: BrowserSession, url: string): Promise<URL> {
  let page = await browser.open(url)
  if (page.body.includes('id="sign-in"')) page = await signIn(browser, page)
  if (page.body.includes('id="consent"')) page = await browser.submit(page, { decision: 'allow' })
  return locationOf(page)
}
