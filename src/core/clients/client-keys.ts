/**
 * The public keys that a client registers by value (RFC 7591 §2, `jwks`): it signs with their private halves, and we
 * encrypt to them. A set is taken whole or not at all: a key that nobody could use would only be missed when the other
 * one is rotated away.
 */
import { createPublicKey, X509Certificate, type JsonWebKey } from 'node:crypto'
import { z } from 'zod'
import { algorithmsOf } from '#core/signing-keys/algorithms.ts'

const MAX_KEYS = 20
const MAX_JWKS_CHARACTERS = 32_768
const RSA_BITS = { least: 2_048, most: 8_192 }
/** RFC 7518 §6: members that only a private or a shared key has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const ENCRYPTION_CURVES = new Set<unknown>(['P-256', 'P-384', 'P-521', 'X25519'])

const text = z.string().min(1).max(256)
const publicKey = z
  .looseObject({
    kty: z.enum(['RSA', 'EC', 'OKP'], 'A key is of kty RSA, EC or OKP.'),
    kid: text.optional(),
    use: z.enum(['sig', 'enc'], 'The use of a key is sig or enc.').optional(),
    alg: text.optional(),
    x5c: z.array(z.base64()).max(10).optional(),
  })
  .superRefine((key, context) => {
    const problem = keyProblem(key)
    if (problem !== undefined) context.addIssue(problem)
  })

export const publicKeySet = z
  .object(
    { keys: z.array(publicKey, 'A JWKS has a list of keys.').min(1, 'A JWKS has at least one key.').max(MAX_KEYS) },
    'A JWKS is a JSON object with a list of keys.',
  )
  .superRefine(({ keys }, context) => {
    const named = keys.flatMap(({ kid }) => kid ?? [])
    if (JSON.stringify(keys).length > MAX_JWKS_CHARACTERS) context.addIssue('The JWKS is too large.')
    if (new Set(named).size < named.length) context.addIssue('Two keys have the same kid.')
  })

/** True where a key of the set can sign with the algorithm, or with any where none is named. */
export function signsWith(jwks: unknown, alg: unknown): boolean {
  const { success, data } = publicKeySet.safeParse(jwks)
  return success && data.keys.some((key) => signaturesOf(key).some((can) => alg === undefined || can === alg))
}

/** True where a key of the set brings its certificate, as self_signed_tls_client_auth needs it (RFC 8705 §2.2.2). */
export function certifies(jwks: unknown): boolean {
  return publicKeySet.safeParse(jwks).data?.keys.some(({ x5c }) => x5c !== undefined && x5c.length > 0) === true
}

function signaturesOf(key: z.output<typeof publicKey>): readonly string[] {
  if (key.use === 'enc') return []
  return algorithmsOf({ kty: key.kty, crv: key['crv'] }).filter((alg) => key.alg === undefined || key.alg === alg)
}

/** RFC 7518 §4, RFC 8037: what tokens may be encrypted to. */
function isEncryptedTo({ kty, use, alg, crv }: z.output<typeof publicKey>): boolean {
  if (use === 'sig') return false
  if (kty === 'RSA') return alg === undefined || alg.startsWith('RSA-OAEP')
  return (alg === undefined || alg.startsWith('ECDH-ES')) && ENCRYPTION_CURVES.has(crv)
}

function keyProblem(key: z.output<typeof publicKey>): string | undefined {
  const told = PRIVATE_MEMBERS.find((member) => member in key)
  if (told !== undefined) return `A key holds ${told}, which is private: register the public key, and replace this one.`
  const bits = modulusBits(key)
  if (bits === undefined) return 'This is no public key that can be read.'
  if (key.kty === 'RSA' && (bits < RSA_BITS.least || bits > RSA_BITS.most))
    return `An RSA key has ${RSA_BITS.least} to ${RSA_BITS.most} bits; this one has ${bits}.`
  if (key.x5c !== undefined && !isCertified(key, key.x5c)) return 'Its certificate (x5c) is not of this key.'
  const isUseless = signaturesOf(key).length === 0 && !isEncryptedTo(key)
  return isUseless ? 'The server verifies nothing with such a key.' : undefined
}

function isCertified(key: JsonWebKey, [first = '']: readonly string[]): boolean {
  try {
    return new X509Certificate(Buffer.from(first, 'base64')).publicKey.equals(createPublicKey({ key, format: 'jwk' }))
  } catch {
    return false
  }
}

/** Bits of the modulus, 0 for keys that have none, undefined for what is no key. */
function modulusBits(key: JsonWebKey): number | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails?.modulusLength ?? 0
  } catch {
    return undefined
  }
}
