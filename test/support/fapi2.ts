// A client of the profile fapi2, by hand: it pushes, proves and signs as the profile wants it, but for what a test changes.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { TestApp } from './app.ts'
import { asserted, createAssertingClient, newKeyPair, signer, type AssertingClient, type KeyPair } from './assertion.ts'
import type { BrowserSession } from './browser-session.ts'
import { authorizeUrl, query, VERIFIER, type Answer } from './protocol.ts'
import { authorize } from './relying-party.ts'

export const FAPI2_CALLBACK = 'https://bank.example/callback'

type Fields = Readonly<Record<string, string | undefined>>
type Changes = Readonly<Record<string, unknown>>

/** What a request may differ in from one that is in order. */
export interface Wish {
  readonly fields?: Fields
  /** Claims of the assertion. */
  readonly assertion?: Changes
  readonly assertedBy?: KeyPair
  /** Claims of the proof; null sends none. */
  readonly proof?: Changes | null
  readonly provenBy?: KeyPair
}

export interface Fapi2Client extends AssertingClient {
  readonly keys: KeyPair
  readonly proofKeys: KeyPair
  push(wish?: Wish): Promise<Answer>
  /** The code that a pushed request ends with, by way of sign-in and consent where they are asked. */
  code(browser: BrowserSession, wish?: Wish): Promise<string>
  token(wish: Wish): Promise<Answer>
  redeem(code: string, wish?: Wish): Promise<Answer>
  refresh(refreshToken: unknown): Promise<Answer>
  /** What follows a push in the browser. */
  url(requestUri: unknown): string
  /** A request object as the profile wants it. */
  requestObject(changes?: Changes, keys?: KeyPair): Promise<string>
}

/** Registers one that authenticates with private_key_jwt and binds its tokens by DPoP. */
export async function fapi2Client(app: TestApp, metadata: Changes = {}, more: Changes = {}): Promise<Fapi2Client> {
  const [keys, proofKeys] = [await newKeyPair(), await newKeyPair()]
  const registered = await createAssertingClient(
    app,
    keys,
    { jwks: { keys: [keys.publicJwk] }, ...metadata },
    { profile: 'fapi2', first_party: true, redirect_uris: [FAPI2_CALLBACK], ...more },
  )
  const id = registered.client.id

  const send = async (path: string, wish: Wish) => {
    const { fields = {}, assertion = {}, assertedBy = keys, proof = {}, provenBy = proofKeys } = wish
    const sent = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)
    const signed = await signer(registered, app.issuer, assertedBy.privateKey)(assertion, { alg: assertedBy.alg })
    const headers: Record<string, string> =
      proof === null ? {} : { dpop: await dpopProof(`${app.issuer}${path}`, provenBy, proof) }
    return asserted(app, signed, Object.fromEntries(sent), path, headers)
  }
  const parameters = () =>
    Object.fromEntries(new URL(authorizeUrl(app, registered, { redirect_uri: FAPI2_CALLBACK })).searchParams)
  const push: Fapi2Client['push'] = (wish = {}) =>
    send('/par', { ...wish, fields: { ...parameters(), ...wish.fields }, proof: wish.proof ?? null })
  const url = (requestUri: unknown) =>
    `${app.issuer}/authorize?${query({ client_id: id, request_uri: String(requestUri) })}`
  const token = (wish: Wish) => send('/token', wish)

  return {
    ...registered,
    keys,
    proofKeys,
    push,
    url,
    token,
    async code(browser, wish) {
      const { json, body } = await push(wish)
      const code = (await authorize(browser, url(json['request_uri']))).searchParams.get('code')
      if (code === null) throw new Error(`no code came back: ${body}`)
      return code
    },
    redeem: (code, { fields, ...wish } = {}) =>
      token({
        fields: {
          grant_type: 'authorization_code',
          code,
          redirect_uri: FAPI2_CALLBACK,
          code_verifier: VERIFIER,
          ...fields,
        },
        ...wish,
      }),
    refresh: (refreshToken) => token({ fields: { grant_type: 'refresh_token', refresh_token: String(refreshToken) } }),
    requestObject: (changes = {}, by = keys) =>
      new SignJWT({
        ...parameters(),
        iss: id,
        aud: app.issuer,
        nbf: seconds(),
        exp: seconds() + 300,
        ...changes,
      })
        .setProtectedHeader({ alg: by.alg, ...(by.publicJwk.kid === undefined ? {} : { kid: by.publicJwk.kid }) })
        .sign(by.privateKey),
  }
}

/** RFC 9449 §4.2 */
export function dpopProof(
  url: string,
  { alg, privateKey, publicJwk }: KeyPair,
  changes: Changes = {},
): Promise<string> {
  const { kid: _, ...jwk } = publicJwk
  return new SignJWT({ jti: randomUUID(), htm: 'POST', htu: url, iat: seconds(), ...changes })
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk })
    .sign(privateKey)
}

/** Seconds since the epoch, and some. */
export function seconds(more = 0): number {
  return Math.floor(Date.now() / 1000) + more
}
