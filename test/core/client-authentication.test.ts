// What may be registered of a client's authentication, and what contradicts itself.
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseRegistration } from '#core/clients/client-input.ts'
import { AppError } from '#platform/errors.ts'

const ec = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const rsa = publicJwk(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const small = publicJwk(generateKeyPairSync('rsa', { modulusLength: 1024 }))
const ed = publicJwk(generateKeyPairSync('ed25519'))
const x25519 = publicJwk(generateKeyPairSync('x25519'))
const secp = publicJwk(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))
const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })

const KEYS = { token_endpoint_auth_method: 'private_key_jwt' }
const TLS = { token_endpoint_auth_method: 'tls_client_auth' }
const SELF_SIGNED = { token_endpoint_auth_method: 'self_signed_tls_client_auth' }
const HMAC = { token_endpoint_auth_method: 'client_secret_jwt' }
const set = (...keys: unknown[]) => ({ jwks: { keys } })
const register = (metadata: unknown, type = 'service') =>
  parseRegistration({
    name: 'Job',
    type,
    redirect_uris: type === 'service' ? [] : ['https://app.example/cb'],
    metadata,
  })

describe('the authentication of a client', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a key by value', { ...KEYS, ...set(ec) }],
    ['several keys', { ...KEYS, ...set({ ...ec, kid: 'a' }, { ...rsa, kid: 'b' }, ed) }],
    ['a key that names its use and algorithm', { ...KEYS, ...set({ ...rsa, use: 'sig', alg: 'PS256' }) }],
    ['a key beside one for encryption', { ...KEYS, ...set(ec, { ...x25519, use: 'enc' }) }],
    ['an address of keys', { ...KEYS, jwks_uri: 'https://app.example/jwks.json' }],
    ['an algorithm that a key has', { ...KEYS, ...set(ec), token_endpoint_auth_signing_alg: 'ES256' }],
    ['a subject', { ...TLS, tls_client_auth_subject_dn: 'CN=job, O=Acme\\, Inc., C=DE' }],
    ['an address', { ...TLS, tls_client_auth_san_ip: '2001:db8::1' }],
    ['bound tokens', { tls_client_certificate_bound_access_tokens: true }],
    ['a secret that signs', { ...HMAC }],
    ['a secret that signs with HS512', { ...HMAC, token_endpoint_auth_signing_alg: 'HS512' }],
  ])('takes %s', (_, metadata) => {
    expect(register(metadata).registered).toMatchObject(metadata)
    expect(register(metadata, 'web').registered).toMatchObject(metadata)
  })

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ['no keys', { ...KEYS }, 'jwks', /needs the public keys/],
    ['keys in two places', { ...KEYS, ...set(ec), jwks_uri: 'https://app.example/k' }, 'jwks', /not in both/],
    ['an empty set', { ...KEYS, ...set() }, 'jwks', /./],
    ['what is no set', { ...KEYS, jwks: [ec] }, 'jwks', /list of keys/],
    ['a private key', { ...KEYS, ...set(privateKey) }, 'jwks', /which is private/],
    ['a shared key', { ...KEYS, ...set({ kty: 'oct', k: 'c2VjcmV0' }) }, 'jwks', /RSA, EC or OKP/],
    ['an RSA key that is short', { ...KEYS, ...set(small) }, 'jwks', /1024/],
    ['a key that is none', { ...KEYS, ...set({ ...ec, y: ec.x }) }, 'jwks', /can be read/],
    ['a curve that nobody verifies', { ...KEYS, ...set(secp) }, 'jwks', /verifies nothing/],
    ['a key of another algorithm', { ...KEYS, ...set({ ...ec, alg: 'RS256' }) }, 'jwks', /verifies nothing/],
    ['keys for encryption only', { ...KEYS, ...set({ ...ec, use: 'enc' }) }, 'jwks', /None of these keys/],
    [
      'an algorithm without a key',
      { ...KEYS, ...set(ec), token_endpoint_auth_signing_alg: 'RS256' },
      'jwks',
      /None of/,
    ],
    ['one kid twice', { ...KEYS, ...set({ ...ec, kid: 'a' }, { ...rsa, kid: 'a' }) }, 'jwks', /same kid/],
    ['an address by http', { ...KEYS, jwks_uri: 'http://app.example/k' }, 'jwks_uri', /https/],
    [
      'a secret algorithm with keys',
      { ...KEYS, ...set(ec), token_endpoint_auth_signing_alg: 'HS256' },
      'token_endpoint_auth_signing_alg',
      /private_key_jwt with a key/,
    ],
    [
      'a key algorithm with a secret',
      { ...HMAC, token_endpoint_auth_signing_alg: 'ES256' },
      'token_endpoint_auth_signing_alg',
      /client_secret_jwt with the secret/,
    ],
    [
      'an algorithm without an assertion',
      { token_endpoint_auth_signing_alg: 'ES256' },
      'token_endpoint_auth_signing_alg',
      /no use/,
    ],
    ['a certificate without a name', { ...TLS }, 'tls_client_auth_subject_dn', /needs one of/],
    [
      'two names of a certificate',
      { ...TLS, tls_client_auth_subject_dn: 'CN=job', tls_client_auth_san_dns: 'job.example' },
      'tls_client_auth_subject_dn',
      /one only/,
    ],
    ['a name without a certificate', { tls_client_auth_san_dns: 'a.example' }, 'tls_client_auth_subject_dn', /no use/],
    ['a subject that is none', { ...TLS, tls_client_auth_subject_dn: 'job' }, 'tls_client_auth_subject_dn', /RFC 4514/],
    [
      'an address that is none',
      { ...TLS, tls_client_auth_san_ip: 'localhost' },
      'tls_client_auth_san_ip',
      /IP address/,
    ],
    ['a key without its certificate', { ...SELF_SIGNED, ...set(ec) }, 'jwks', /x5c/],
    ['the certificate of another key', { ...SELF_SIGNED, ...set({ ...ec, x5c: ['AAAA'] }) }, 'jwks', /not of this key/],
    ['alg none', { ...HMAC, token_endpoint_auth_signing_alg: 'none' }, 'token_endpoint_auth_signing_alg', /./],
    [
      'ID tokens signed with a secret that is not there',
      { ...KEYS, ...set(ec), id_token_signed_response_alg: 'HS256' },
      'id_token_signed_response_alg',
      /client with private_key_jwt has none/,
    ],
  ])('refuses %s', (_, metadata, field, reason) => {
    expect(fieldsOf(() => register(metadata))).toEqual({ [field]: expect.stringMatching(reason) })
  })

  test.each(['spa', 'native'])('leaves a %s client public', (type) => {
    for (const method of ['private_key_jwt', 'client_secret_jwt', 'client_secret_basic'])
      expect(fieldsOf(() => register({ token_endpoint_auth_method: method, ...set(ec) }, type))).toHaveProperty(
        'token_endpoint_auth_method',
      )
  })
})

function fieldsOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError) return error.fields
    throw error
  }
  return undefined
}

function publicJwk({ publicKey }: { publicKey: { export(options: { format: 'jwk' }): JsonWebKey } }): JsonWebKey {
  return publicKey.export({ format: 'jwk' })
}
