import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { SigningAlgorithm } from './algorithms.ts'
import { selfSignedCertificate } from './certificate.ts'
import { privateJwk, type PrivateJwk } from './private-jwk.ts'

export interface GeneratedKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: JWK
  readonly privateJwk: PrivateJwk
}

const RSA_BITS = 2048

/**
 * A fresh key pair: RS256 → RSA of 2048 bits, ES256 → P-256, EdDSA → Ed25519. Its `kid` is its RFC 7638 thumbprint, and
 * both halves carry the same `x5c` where the algorithm has one.
 * @param now begins the life of the certificate, seconds since the epoch
 */
export async function generateSigningKey(alg: SigningAlgorithm, now: number): Promise<GeneratedKey> {
  const keys = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS })
  const bare = await exportJWK(keys.publicKey)
  const kid = await calculateJwkThumbprint(bare)
  const certificate = await selfSignedCertificate(alg, kid, keys, now)
  const described = { kid, alg, use: 'sig', ...(certificate === undefined ? {} : { x5c: [certificate] }) }
  return {
    kid,
    alg,
    publicJwk: { ...bare, ...described },
    privateJwk: privateJwk.parse({ ...(await exportJWK(keys.privateKey)), ...described }),
  }
}
