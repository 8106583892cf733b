// A sign-in as a browser and its application do it: authorization request, the pages, the code, its tokens, userinfo.
import { createHash, randomBytes } from 'node:crypto'
import type { Answer } from '../http.ts'
import { virtualBrowser, type VirtualBrowser } from '../virtual-browser.ts'
import { basic, PASSWORD, REDIRECT_URI, SCOPE, type WorldClient } from '../world.ts'
import { claimsIn, jsonOf, locationOf, textIn, unexpected } from './checks.ts'
import { personOf, type Operation, type Relying, type Target } from './operation.ts'

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
}

/**
 * With consent: the request, sign-in page, sign-in, back, consent page, consent, back, token, userinfo. In bare always
 * these nine; in Latchkey the house's own client is not asked about, and three are saved.
 */
export const codeFlow: Operation = {
  name: 'code-flow',
  goal: { sqlite: 1.15, postgres: 0.7 },
  withoutHash: true,
  prepare: (target, lane) => wholeFlow(target, lane, { client: target.world.es256, alg: 'ES256' }, 'consent'),
}

export const codeFlowOwn: Operation = {
  name: 'code-flow-first-party',
  goal: { sqlite: 1.6, postgres: 1 },
  withoutHash: true,
  prepare: (target, lane) =>
    target.house === 'bare'
      ? codeFlow.prepare(target, lane)
      : wholeFlow(target, lane, { client: target.world.own, alg: 'ES256' }, undefined),
}

/** The same with the hash: its measure is not bare, which has none, but what the machine can hash. */
export const passwordSignIn: Operation = {
  ...codeFlowOwn,
  name: 'password-sign-in',
  goal: undefined,
  withoutHash: false,
}

/** In a browser that is signed in: the request, token, userinfo. */
export const ssoFlow: Operation = {
  name: 'sso-code-flow',
  goal: { sqlite: 1, postgres: 0.7 },
  async prepare(target, lane) {
    const relying = { client: target.world.es256, alg: 'ES256' } as const
    const browser = virtualBrowser(target.http)
    await signedInTokens(target, lane, relying, browser)
    return async () => {
      await tokensOf(target, lane, relying, await ask(browser, relying.client))
    }
  },
}

/** The tokens of a whole flow in a browser, which stays signed in. */
export async function signedInTokens(
  target: Target,
  lane: number,
  relying: Relying,
  browser: VirtualBrowser = virtualBrowser(target.http),
): Promise<Tokens> {
  return tokensOf(target, lane, relying, await through(target, lane, browser, relying, 'consent'))
}

async function wholeFlow(target: Target, lane: number, relying: Relying, prompt: string | undefined) {
  return async () => {
    const browser = virtualBrowser(target.http)
    await tokensOf(target, lane, relying, await through(target, lane, browser, relying, prompt))
  }
}

interface Asked {
  /** Where the answer led, in the end out of the server. */
  readonly location: string
  readonly verifier: string
  readonly state: string
}

/** Goes to the authorization endpoint as the application wants it (RFC 7636, OpenID Connect Core 1.0 §3.1.2.1). */
async function ask(browser: VirtualBrowser, { id }: WorldClient, prompt?: string): Promise<Asked> {
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(12).toString('base64url')
  const query = new URLSearchParams({
    client_id: id,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state,
    nonce: state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(prompt === undefined ? {} : { prompt }),
  })
  return { location: locationOf(await browser.get(`/authorize?${query.toString()}`)), verifier, state }
}

/** The sign-in page that an application leads a fresh browser to. */
export async function signInPage(browser: VirtualBrowser, client: WorldClient): Promise<Answer> {
  const { location } = await ask(browser, client)
  return browser.get(location)
}

/** The pages of a fresh browser: sign-in and, where it is asked for, consent. */
async function through(
  target: Target,
  lane: number,
  browser: VirtualBrowser,
  { client }: Relying,
  prompt: string | undefined,
): Promise<Asked> {
  const asked = await ask(browser, client, prompt)
  const signIn = await browser.get(asked.location)
  const { username } = personOf(target, lane)
  let location = locationOf(await browser.submit(signIn, { username, password: PASSWORD }))
  location = locationOf(await browser.get(location))
  if (prompt === 'consent') {
    const consent = await browser.get(location)
    if (!consent.body.includes('id="consent"')) throw unexpected(consent, 'the consent page')
    location = locationOf(await browser.submit(consent, { decision: 'allow' }))
    location = locationOf(await browser.get(location))
  }
  return { ...asked, location }
}

/** Redeems the code and asks userinfo: two requests, the last of every flow. */
async function tokensOf(
  target: Target,
  lane: number,
  { client, alg }: Relying,
  { location, verifier, state }: Asked,
): Promise<Tokens> {
  const { http, world, origin } = target
  const callback = new URL(location)
  const code = callback.searchParams.get('code')
  if (code === null || callback.searchParams.get('state') !== state) throw new Error(`no code came back: ${location}`)
  const json = jsonOf(
    await http.send({
      path: '/token',
      headers: { authorization: basic(client) },
      form: { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier },
    }),
  )
  const { sub } = personOf(target, lane).claims
  const claims = claimsIn(textIn(json, 'id_token'), world, alg)
  if (claims['iss'] !== origin || claims['sub'] !== sub || claims['nonce'] !== state)
    throw new Error(`these are not the claims of this sign-in: ${JSON.stringify(claims)}`)
  const tokens = { accessToken: textIn(json, 'access_token'), refreshToken: textIn(json, 'refresh_token') }
  await checkUserinfo(target, tokens.accessToken, sub)
  return tokens
}

/** One request to userinfo, whose answer has to be about the person. */
export async function checkUserinfo({ http }: Target, accessToken: string, sub: string): Promise<void> {
  const json = jsonOf(await http.send({ path: '/userinfo', headers: { authorization: `Bearer ${accessToken}` } }))
  if (json['sub'] !== sub || json['given_name'] !== 'Ada') throw new Error(`not ${sub}: ${JSON.stringify(json)}`)
}
