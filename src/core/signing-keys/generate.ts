import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { SigningAlgorithm } from './algorithms.ts'
import { selfSignedCertificate } from './certificate.ts'
import { privateJwk, type PrivateJwk } from './private-jwk.ts'

export interface KeyMaterial {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: JWK
  readonly privateJwk: PrivateJwk
}

const RSA_BITS = 2048

/**
 * A fresh key pair: RSA of 2048 bits, the curve that an ES algorithm names, or Ed25519. Its `kid` is its RFC 7638
 * thumbprint, and both halves carry the same `x5c` where the algorithm has one.
 * @param now begins the life of the certificate, seconds since the epoch
 */
export async function generateSigningKey(alg: SigningAlgorithm, now: number): Promise<KeyMaterial> {
  const keys = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS })
  const jwk = await exportJWK(keys.privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  // a command line would take a kid with a leading dash for an option
  return kid.startsWith('-') ? generateSigningKey(alg, now) : keyMaterial(alg, kid, jwk, now)
}

/**
 * Both halves of a private key as they are stored and published, with a certificate where the algorithm has one.
 * @param bare the private JWK; members beyond the key itself are left out
 * @param now begins the life of the certificate, seconds since the epoch
 */
export async function keyMaterial(alg: SigningAlgorithm, kid: string, bare: JWK, now: number): Promise<KeyMaterial> {
  const described = { kid, alg, use: 'sig' }
  const half = publicHalf(bare)
  const certificate = await selfSignedCertificate(alg, kid, { publicJwk: half, privateJwk: bare }, now)
  const x5c = certificate === undefined ? {} : { x5c: [certificate] }
  return {
    kid,
    alg,
    publicJwk: { ...half, ...described, ...x5c },
    privateJwk: privateJwk.parse({ ...bare, ...described, ...x5c }),
  }
}

/** The members of a JWK that everybody may see (RFC 7518 §6, RFC 8037 §2), and nothing else. */
export function publicHalf({ kty, n, e, crv, x, y }: JWK): JWK {
  const members = { kty, n, e, crv, x, y }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
