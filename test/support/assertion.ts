// Clients that authenticate by a signed assertion (RFC 7523): with a key of their own, or with their secret.
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import { createClient, type RegisteredClient, type TestApp } from './app.ts'
import { post, type Answer } from './protocol.ts'

/** Claims that replace those of an assertion in order; one that is undefined is left out. */
type Changes = Readonly<Record<string, unknown>>
type Sign = (claims: Changes, header?: Readonly<Record<string, unknown>>) => Promise<string>

export interface AssertingClient extends RegisteredClient {
  /** A fresh assertion for the token endpoint's issuer. */
  readonly assertion: Sign
}

export interface KeyPair {
  /** With its kid. */
  readonly publicJwk: JWK
  readonly privateKey: CryptoKey
  readonly alg: string
}

export async function newKeyPair(alg = 'ES256'): Promise<KeyPair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { publicJwk: { ...(await exportJWK(publicKey)), kid: randomUUID() }, privateKey, alg }
}

/** A service whose public key was registered by value, unless the metadata says otherwise. */
export async function createAssertingClient(
  { config, services }: Pick<TestApp, 'config' | 'services'>,
  keys: KeyPair,
  metadata: Changes = { jwks: { keys: [keys.publicJwk] } },
  more: Changes = { type: 'service', redirect_uris: [] },
): Promise<AssertingClient> {
  const registered = await createClient(services, {
    ...more,
    metadata: { token_endpoint_auth_method: 'private_key_jwt', ...metadata },
  })
  const sign = signer(registered, config.issuer, keys.privateKey)
  return { ...registered, assertion: (changes, header = { alg: keys.alg }) => sign(changes, header) }
}

/** A service that signs with its secret. */
export async function createSecretAssertingClient(
  { config, services }: Pick<TestApp, 'config' | 'services'>,
  metadata: Changes = {},
): Promise<AssertingClient> {
  const registered = await createClient(services, {
    type: 'service',
    redirect_uris: [],
    metadata: { token_endpoint_auth_method: 'client_secret_jwt', ...metadata },
  })
  const sign = signer(registered, config.issuer, new TextEncoder().encode(registered.secret))
  return { ...registered, assertion: (changes, header = { alg: 'HS256' }) => sign(changes, header) }
}

/** Signs assertions of the client with any key. */
export function signer({ client }: RegisteredClient, audience: string, key: CryptoKey | Uint8Array): Sign {
  return (changes, header = { alg: 'HS256' }) => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: client.id, sub: client.id, aud: audience, jti: randomUUID(), iat: now, exp: now + 60 }
    const payload: JWTPayload = { ...claims, ...changes }
    return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...header }).sign(key)
  }
}

/** A request with the assertion; a client credentials grant unless other fields are given. */
export function asserted(
  { issuer }: Pick<TestApp, 'issuer'>,
  assertion: string,
  fields: Readonly<Record<string, string>> = { grant_type: 'client_credentials' },
  path = '/token',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const authenticated = {
    ...fields,
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }
  return post(`${issuer}${path}`, authenticated, headers)
}
