/**
 * The public keys that a client registers by value (RFC 7591 §2, `jwks`). A set is taken whole or not at all: a key that
 * nobody could use would only be missed when the other one is rotated away.
 */
import { createPublicKey, X509Certificate, type JsonWebKey } from 'node:crypto'
import { z } from 'zod'
import { algorithmsOf } from '#core/signing-keys/algorithms.ts'

const MAX_KEYS = 20
const RSA_BITS = { least: 2_048, most: 8_192 }
/** RFC 7518 §6: members that only a private or a shared key has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

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

export const clientKeys = z
  .object(
    { keys: z.array(publicKey, 'A list of keys was expected.').min(1).max(MAX_KEYS) },
    'A JWK set is an object with the member "keys" (RFC 7517 §5).',
  )
  .superRefine(({ keys }, context) => {
    const named = keys.flatMap(({ kid }) => kid ?? [])
    if (new Set(named).size < named.length) context.addIssue('Two keys have the same kid.')
  })

/** True where a key of the set can sign with the algorithm, or with any where none is named. */
export function signsWith(jwks: unknown, alg: unknown): boolean {
  const { success, data } = clientKeys.safeParse(jwks)
  return success && data.keys.some((key) => signaturesOf(key).some((can) => alg === undefined || can === alg))
}

/** True where a key of the set brings its certificate, as self_signed_tls_client_auth needs it (RFC 8705 §2.2.2). */
export function certifies(jwks: unknown): boolean {
  return clientKeys.safeParse(jwks).data?.keys.some(({ x5c }) => x5c !== undefined && x5c.length > 0) === true
}

function signaturesOf(key: z.output<typeof publicKey>): readonly string[] {
  if (key.use === 'enc') return []
  return algorithmsOf({ kty: key.kty, crv: key['crv'] }).filter((alg) => key.alg === undefined || key.alg === alg)
}

function keyProblem(key: z.output<typeof publicKey>): string | undefined {
  if (PRIVATE_MEMBERS.some((member) => key[member] !== undefined))
    return 'This is a private key. Register the public half, and consider the key as told.'
  const bits = modulusBits(key)
  if (bits === undefined) return 'This is no public key that can be read.'
  if (key.kty === 'RSA' && (bits < RSA_BITS.least || bits > RSA_BITS.most))
    return `An RSA key has ${RSA_BITS.least} to ${RSA_BITS.most} bits; this one has ${bits}.`
  if (key.x5c !== undefined && !isCertified(key, key.x5c)) return 'Its certificate (x5c) is not of this key.'
  const isUseless = key.use !== 'enc' && signaturesOf(key).length === 0
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
