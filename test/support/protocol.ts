// The protocol by hand: what a relying party without a library, or an attacker, sends and gets. Nothing is checked
// here but what every refusal has to hold.
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { createClient, createPerson, PASSWORD, REDIRECT_URI, type RegisteredClient, type TestApp } from './app.ts'
import { browserSession, type BrowserSession } from './browser-session.ts'
import { authorize } from './relying-party.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** The body where it is a JSON object, else an empty one. */
  readonly json: Readonly<Record<string, unknown>>
}

type Fields = Readonly<Record<string, string | undefined>>
type Headed = Readonly<Record<string, string>>

export const VERIFIER = 'a-code-verifier-of-more-than-forty-three-characters'
const CHALLENGE = challengeOf(VERIFIER)

/** RFC 7636 §4.2 */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init })
  const body = await response.text()
  return { status: response.status, headers: response.headers, body, json: objectIn(body) }
}

/** Posts a form; fields that are undefined are left out. */
export function post(
  url: string,
  fields: Fields | readonly (readonly [string, string])[],
  headers: Headed = {},
): Promise<Answer> {
  const pairs = isList(fields) ? fields : given(fields)
  return send(url, {
    method: 'POST',
    body: new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])),
    headers,
  })
}

/** HTTP Basic as RFC 6749 §2.3.1 has it; nothing for a client without a secret. */
export function basic({ client, secret }: RegisteredClient): Headed {
  if (secret === undefined) return {}
  const pair = [client.id, secret].map(encodeURIComponent).join(':')
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

export function bearer(token: string): Headed {
  return { authorization: `Bearer ${token}` }
}

/** An authorization request that is in order, but for what is changed (or, undefined, left out). */
export function authorizeUrl(
  { issuer }: Pick<TestApp, 'issuer'>,
  { client }: RegisteredClient,
  changes: Fields = {},
): string {
  const fields: Fields = {
    client_id: client.id,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email',
    state: 'a-state',
    nonce: 'a-nonce',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  }
  return `${issuer}/authorize?${query(fields)}`
}

export function query(fields: Fields): string {
  return new URLSearchParams(given(fields)).toString()
}

/** A code, by way of sign-in and consent where they are asked. */
export async function codeFor(
  app: TestApp,
  client: RegisteredClient,
  changes: Fields = {},
  browser: BrowserSession = browserSession(app.issuer),
): Promise<string> {
  const callback = await authorize(browser, authorizeUrl(app, client, changes))
  const code = callback.searchParams.get('code')
  if (code === null) throw new Error(`no code came back: ${callback.href}`)
  return code
}

/** Redeems a code; what is changed replaces what a client in order would send. */
export function redeem(app: TestApp, client: RegisteredClient, code: string, changes: Fields = {}): Promise<Answer> {
  return token(app, client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    ...changes,
  })
}

export function refresh(
  app: TestApp,
  client: RegisteredClient,
  refreshToken: string,
  changes: Fields = {},
): Promise<Answer> {
  return token(app, client, { grant_type: 'refresh_token', refresh_token: refreshToken, ...changes })
}

/** A request to the token endpoint with the client's own authentication. */
export function token(app: TestApp, client: RegisteredClient, fields: Fields): Promise<Answer> {
  return post(
    `${app.issuer}/token`,
    client.secret === undefined ? { client_id: client.client.id, ...fields } : fields,
    basic(client),
  )
}

export interface Tokens {
  readonly accessToken: string
  readonly idToken: string
  readonly refreshToken: string
}

/** The tokens of a whole code flow; one that did not come is an empty text. */
export async function tokensFor(
  app: TestApp,
  client: RegisteredClient,
  changes: Fields = {},
  browser?: BrowserSession,
): Promise<Tokens> {
  const answer = await redeem(
    app,
    client,
    await codeFor(app, client, changes, browser),
    changes['redirect_uri'] === undefined ? {} : { redirect_uri: changes['redirect_uri'] },
  )
  expect(answer.status, answer.body).toBe(200)
  return tokensIn(answer)
}

export function tokensIn({ json }: Answer): Tokens {
  const text = (name: string) => (typeof json[name] === 'string' ? json[name] : '')
  return { accessToken: text('access_token'), idToken: text('id_token'), refreshToken: text('refresh_token') }
}

export function userinfo(app: TestApp, accessToken: string): Promise<Answer> {
  return send(`${app.issuer}/userinfo`, { headers: bearer(accessToken) })
}

/** The claims of a JWT, unverified. */
export function claimsIn(jwt: string): Record<string, unknown> {
  return objectIn(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}

interface Refused {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/**
 * What every refusal holds: no fault of ours, nothing given away, nothing of our inside in the answer.
 * @param signedIn the browser has a session already, which may be renewed
 */
export function expectNothingGiven({ status, headers, body }: Refused, { signedIn = false } = {}): void {
  expect(status, body).toBeLessThan(500)
  const location = headers.get('location') ?? ''
  for (const text of [body, location]) {
    expect(text).not.toMatch(/[?&#"](code|access_token|id_token|refresh_token)["=]/)
    expect(text).not.toMatch(
      /\n\s+at |node_modules|\/src\/|\.ts:\d|SQLITE|\bselect .* from\b|syntax error at|relation "/i,
    )
  }
  if (!signedIn)
    expect(headers.getSetCookie().filter((line) => line.includes('_session=') && !line.includes('1970'))).toEqual([])
}

/** A regular guest of the house, signed in before anything happens; the function shows that they are still served. */
export async function bystander(app: TestApp): Promise<() => Promise<void>> {
  const name = 'grace'
  await createPerson(app.services, {
    email: `${name}@example.com`,
    username: name,
    given_name: 'Grace',
    family_name: 'Hopper',
  })
  const client = await createClient(app.services, { name: 'The regular', first_party: true })
  const browser = browserSession(app.issuer)
  await browser.submit(await browser.open(authorizeUrl(app, client)), { username: name, password: PASSWORD })
  return async () => {
    const { accessToken } = await tokensFor(app, client, { prompt: 'none' }, browser)
    expect((await userinfo(app, accessToken)).json).toMatchObject({ name: 'Grace Hopper' })
  }
}

function given(fields: Fields): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  )
}

function isList(
  fields: Fields | readonly (readonly [string, string])[],
): fields is readonly (readonly [string, string])[] {
  return Array.isArray(fields)
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
