/**
 * What answers are encrypted with, for clients that registered a public key for it (RFC 7518 §4, §5). What is left out:
 * RSA1_5, which tells an attacker too much by its failures, RSA-OAEP with longer hashes, which few can read, and keys
 * derived from a client's secret.
 */
export const KEY_ENCRYPTION = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
export const CONTENT_ENCRYPTION = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const

const ANSWERS = ['id_token', 'userinfo', 'introspection', 'authorization'] as const
const CURVES = ['P-256', 'P-384', 'P-521', 'X25519']

/** One sentence for each answer that is to be encrypted and has no key among those that were registered. */
export function encryptionProblems(registered: Readonly<Record<string, unknown>>): Record<string, string> {
  const { jwks } = registered
  const members = ANSWERS.map((answer) => `${answer}_encrypted_response_alg`)
  const missing = members.filter(
    (member) => typeof registered[member] === 'string' && jwks !== undefined && !hasKey(jwks, registered[member]),
  )
  return Object.fromEntries(
    missing.map((member) => [
      member,
      `None of the keys in jwks can be encrypted to with ${String(registered[member])}.`,
    ]),
  )
}

function hasKey(jwks: unknown, alg: string): boolean {
  const keys: unknown = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : []
  return Array.isArray(keys) && keys.some((key) => isObject(key) && isKeyFor(key, alg))
}

function isKeyFor(key: Readonly<Record<string, unknown>>, alg: string): boolean {
  const { kty, crv, use, alg: ownAlg } = key
  if ((use !== undefined && use !== 'enc') || (ownAlg !== undefined && ownAlg !== alg)) return false
  return alg.startsWith('RSA') ? kty === 'RSA' : CURVES.some((curve) => curve === crv)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
