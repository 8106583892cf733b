/**
 * Reads a private key as people have it in their files: PEM (PKCS#1, PKCS#8, SEC1), the one-line PEM of an .env with
 * `\n` for its line breaks, a JWK, or a JWK set with one private key. Nothing of the key is ever put into a message.
 */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import { algorithmsOf, isSigningAlgorithm, type SigningAlgorithm } from './algorithms.ts'
import { publicHalf } from './generate.ts'

export interface ReadKey {
  readonly alg: SigningAlgorithm
  /** The private key and nothing else; no `kid`, no `use`. */
  readonly jwk: JWK
  /** What its former house called it, if it did. */
  readonly kid: string | undefined
}

const MIN_RSA_BITS = 2048
/** A signature with a larger key takes so long that it would hold up all others. */
const MAX_RSA_BITS = 8192

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g

/**
 * @param wanted the algorithm to sign with; else what a JWK says of itself, else the only one, else RS256
 * @throws AppError(invalid_input) for everything that is not one private key that may sign
 */
export function readPrivateKey(text: string, wanted: SigningAlgorithm | undefined): ReadKey {
  const { key, described } = text.trim().startsWith('{') ? keyOfJson(text) : { key: keyOfPem(text), described: {} }
  const jwk = exported(key)
  mustBeStrong(key)
  mustBelongTogether(key, jwk, described)
  return { alg: algorithmFor(jwk, described, wanted), jwk, kid: described.kid }
}

const described = z.looseObject({
  kty: z.string().exactOptional(),
  kid: z.string().exactOptional(),
  alg: z.string().exactOptional(),
  use: z.string().exactOptional(),
  d: z.string().exactOptional(),
})
type Described = z.infer<typeof described>
const keySet = z.looseObject({ keys: z.array(described) })

function keyOfJson(text: string): { key: KeyObject; described: Described } {
  const jwk = onlyPrivate(parsed(text))
  if (jwk.kty === 'oct') throw refusal('This is a shared secret, not a private key.')
  if (jwk.d === undefined) throw refusal('This JWK has no private half.')
  if (jwk.use !== undefined && jwk.use !== 'sig') throw refusal('This key says of itself that it is not for signing.')
  try {
    return { key: createPrivateKey({ key: jwk, format: 'jwk' }), described: jwk }
  } catch (cause) {
    throw refusal('This JWK is not a private key that can be read: a member is missing or broken.', cause)
  }
}

function onlyPrivate(value: unknown): Described {
  const set = keySet.safeParse(value)
  const keys = set.success ? set.data.keys.filter(({ d, kty }) => d !== undefined && kty !== 'oct') : []
  const [only] = keys
  if (set.success && (keys.length !== 1 || !only))
    throw refusal(`This JWK set has ${keys.length} private keys; one is needed.`)
  if (only) return only
  const single = described.safeParse(value)
  if (!single.success) throw refusal('This is JSON, but not a JWK.')
  return single.data
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // no cause: the parser's message quotes what it could not read
    throw refusal('This is not JSON, although it begins like it.')
  }
}

function keyOfPem(text: string): KeyObject {
  const broken = text.replaceAll(/\\r|\r/g, '').replaceAll('\\n', '\n')
  const blocks = [...broken.matchAll(PEM_BLOCK)].map(([, label = '', body = '']) => ({ label, body }))
  const [block, ...more] = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'))
  if (!block) {
    throw refusal(
      blocks.length > 0 ? 'This file has no private key, only a public one or a certificate.' : 'This is no key.',
    )
  }
  if (more.length > 0) throw refusal('This file has several private keys; one is needed.')
  if (block.label.startsWith('ENCRYPTED') || block.body.includes('ENCRYPTED')) {
    throw new AppError('invalid_input', 'This key is encrypted with a passphrase.', {
      hint: 'Take the passphrase away first: openssl pkey -in FILE -out PLAIN.pem (and delete PLAIN.pem afterwards).',
    })
  }
  // line breaks may have become spaces on the way
  const lines = block.body.replaceAll(/\s/g, '').match(/.{1,64}/g) ?? []
  try {
    return createPrivateKey(`-----BEGIN ${block.label}-----\n${lines.join('\n')}\n-----END ${block.label}-----\n`)
  } catch (cause) {
    throw refusal('This PEM is not a private key that can be read: it is cut off or damaged.', cause)
  }
}

function exported(key: KeyObject): JWK {
  const usable = ['rsa', 'ec', 'ed25519']
  if (!usable.includes(key.asymmetricKeyType ?? '')) {
    throw refusal(`A key of the kind ${key.asymmetricKeyType} cannot be used: it has to be RSA, EC or Ed25519.`)
  }
  try {
    return key.export({ format: 'jwk' })
  } catch (cause) {
    throw refusal('This key is on a curve that cannot be used: it has to be P-256, P-384 or P-521.', cause)
  }
}

function mustBeStrong({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): void {
  if (asymmetricKeyType !== 'rsa') return
  const bits = details?.modulusLength ?? 0
  if (bits < MIN_RSA_BITS) throw refusal(`This RSA key has ${bits} bits; RFC 7518 asks for ${MIN_RSA_BITS} or more.`)
  if (bits > MAX_RSA_BITS) throw refusal(`This RSA key has ${bits} bits; more than ${MAX_RSA_BITS} sign too slowly.`)
  if ((details?.publicExponent ?? 0n) < 3n) throw refusal('This RSA key has a public exponent that protects nothing.')
}

function mustBelongTogether(key: KeyObject, jwk: JWK, given: Described): void {
  const sample = Buffer.from('sample')
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const works = verify(digest, sample, createPublicKey(key), sign(digest, sample, key))
  const agrees = Object.entries(publicHalf(jwk)).every(([name, value]) => (given[name] ?? value) === value)
  if (!works || !agrees) throw refusal('The two halves of this key do not belong together.')
}

function algorithmFor(jwk: JWK, given: Described, wanted: SigningAlgorithm | undefined): SigningAlgorithm {
  // RFC 9864 calls it by the name of the curve
  const own = given.alg === 'Ed25519' ? 'EdDSA' : given.alg
  const possible = algorithmsOf(jwk)
  const [first] = possible
  if (!first) throw refusal(`No algorithm that is signed with here has keys on the curve ${jwk.crv}.`)
  if (own !== undefined && !(isSigningAlgorithm(own) && possible.includes(own)))
    throw refusal('This JWK names an algorithm that it cannot be signed with here.')
  if (wanted !== undefined && !possible.includes(wanted))
    throw refusal(`${wanted} is not signed with such a key, but ${possible.join(', ')}.`)
  if (wanted !== undefined && own !== undefined && wanted !== own)
    throw refusal(`This JWK says of itself that it is for ${own}, not ${wanted}.`)
  return wanted ?? (isSigningAlgorithm(own) ? own : first)
}

function refusal(message: string, cause?: unknown): AppError {
  return new AppError('invalid_input', message, {
    hint: 'Give one unencrypted private key: PEM (PKCS#1, PKCS#8 or SEC1) or JWK.',
    cause,
  })
}
