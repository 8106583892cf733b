// Backchannel authentication by hand: a client asks for a person, the person answers on the page, the client polls.
import { expect } from 'vitest'
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { artifactKey } from '#oidc/adapter.ts'
import { createClient, type RegisteredClient, type TestApp } from './app.ts'
import type { BrowserSession, Page } from './browser-session.ts'
import { basic, post, token, type Answer } from './protocol.ts'
import { signIn } from './relying-party.ts'

type Fields = Readonly<Record<string, string | undefined>>

/** A client of this flow alone, that polls. */
export function createPollingClient(
  app: Pick<TestApp, 'services'>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<RegisteredClient> {
  return createClient(app.services, { name: 'Till', redirect_uris: [], ciba: 'poll', ...more })
}

/** The request as the client sends it, for Ada unless it names somebody else. */
export function askFor(app: TestApp, client: RegisteredClient, fields: Fields = {}): Promise<Answer> {
  return post(
    `${app.issuer}/backchannel_authentication`,
    { scope: 'openid email', login_hint: 'ada', ...fields },
    basic(client),
  )
}

/** The `auth_req_id` of a request that is taken. */
export async function asked(app: TestApp, client: RegisteredClient, fields: Fields = {}): Promise<string> {
  const answer = await askFor(app, client, fields)
  expect(answer.status, answer.body).toBe(200)
  return String(answer.json['auth_req_id'])
}

export function pollFor(
  app: TestApp,
  client: RegisteredClient,
  authReqId: string,
  fields: Fields = {},
): Promise<Answer> {
  return token(app, client, { grant_type: CIBA_GRANT, auth_req_id: authReqId, ...fields })
}

/** The list of what waits, after a sign-in where one is asked. */
export async function openApprovals(app: TestApp, browser: BrowserSession, username = 'ada'): Promise<Page> {
  const page = await browser.open(`${app.issuer}/approvals`)
  return page.body.includes('id="sign-in"') ? signIn(browser, page, username) : page
}

/** The clients whose requests wait. */
export function waitingIn({ body }: Page): string[] {
  return [...body.matchAll(/<bdi class="name">([^<]*)<\/bdi>\s*<span>/g)].map(([, name = '']) => name)
}

/** The page of a request, after a sign-in where one is asked; a request may ask for another one. */
export async function openRequest(
  app: TestApp,
  browser: BrowserSession,
  authReqId: string,
  username = 'ada',
): Promise<Page> {
  await openApprovals(app, browser, username)
  return browser.open(`${app.issuer}/approvals/${artifactKey('BackchannelAuthenticationRequest', authReqId)}`)
}

/** Answers a request as Ada. */
export async function answer(
  app: TestApp,
  browser: BrowserSession,
  authReqId: string,
  decision: 'approve' | 'deny' = 'approve',
): Promise<Page> {
  return browser.submit(await openRequest(app, browser, authReqId), { decision })
}
