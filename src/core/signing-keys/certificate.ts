import { importJWK, type CryptoKey, type JWK } from 'jose'
import { certificateSignature, type SigningAlgorithm } from './algorithms.ts'

const DAY_SECONDS = 86_400
/** Longer than any key is meant to sign: the certificate never is what ends a key. */
const LIFE_SECONDS = 3_652 * DAY_SECONDS

/**
 * A certificate that the key signs for itself, as it stands in `x5c` (RFC 7517 §4.7: base64 of the DER), or undefined
 * for an algorithm that has none. It says nothing but "this is the key": relying parties trust the JWKS, not it.
 * @param now seconds since the epoch; it is valid from the day before, for those whose clock is behind
 */
export async function selfSignedCertificate(
  alg: SigningAlgorithm,
  kid: string,
  { publicJwk, privateJwk }: { readonly publicJwk: JWK; readonly privateJwk: JWK },
  now: number,
): Promise<string | undefined> {
  const signature = certificateSignature(alg)
  if (!signature) return undefined
  const x509 = await loadX509()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // 64 characters for a thumbprint, which is the most that RFC 5280 allows a common name
    name: [{ CN: [`Latchkey signing key ${kid}`.slice(0, 64)] }],
    notBefore: new Date((now - DAY_SECONDS) * 1000),
    notAfter: new Date((now + LIFE_SECONDS) * 1000),
    signingAlgorithm: signature,
    keys: { publicKey: await imported(publicJwk, alg), privateKey: await imported(privateJwk, alg) },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ],
  })
  return certificate.toString('base64')
}

async function imported(jwk: JWK, alg: SigningAlgorithm): Promise<CryptoKey> {
  // the certificate of an RSA key is signed as RS256, whatever the key signs later
  const key = await importJWK(jwk, jwk.kty === 'RSA' ? 'RS256' : alg)
  if (key instanceof Uint8Array) throw new Error('a key pair was expected, not a shared secret')
  return key
}

/**
 * Loads the library only when a key is made: it takes a tenth of a second. A part of it (tsyringe) refuses to load
 * without the metadata functions of `Reflect`, which it asks about the parameters of constructors that have none; it
 * gets two that know nothing, for that moment only, so that nobody else mistakes them for the real ones.
 */
async function loadX509() {
  const absent = (['getMetadata', 'getOwnMetadata'] as const).filter((name) => !(name in Reflect))
  for (const name of absent) Reflect.set(Reflect, name, () => undefined)
  try {
    return await import('@peculiar/x509')
  } finally {
    for (const name of absent) Reflect.deleteProperty(Reflect, name)
  }
}
