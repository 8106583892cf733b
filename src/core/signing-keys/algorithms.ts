const RSA = { kty: 'RSA', curve: undefined, certificate: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } } as const

/**
 * The algorithms that tokens are signed with (RFC 7518 §3.1, RFC 8037), in the order they stand in the JWKS: a relying
 * party that reads only the first key finds the one everybody knows. `certificate` says how the certificate of such a
 * key is signed (an RSA key is the same key under PS and RS), and is absent where certificates for the key are not
 * commonly read. Keys of the first start are marked; the others are made when a client is registered that asks for one.
 */
const table = [
  { alg: 'RS256', ...RSA, fromTheStart: true },
  { alg: 'ES256', kty: 'EC', curve: 'P-256', certificate: { name: 'ECDSA', hash: 'SHA-256' }, fromTheStart: true },
  { alg: 'EdDSA', kty: 'OKP', curve: 'Ed25519', certificate: undefined, fromTheStart: true },
  { alg: 'RS384', ...RSA, fromTheStart: false },
  { alg: 'RS512', ...RSA, fromTheStart: false },
  { alg: 'PS256', ...RSA, fromTheStart: false },
  { alg: 'PS384', ...RSA, fromTheStart: false },
  { alg: 'PS512', ...RSA, fromTheStart: false },
  { alg: 'ES384', kty: 'EC', curve: 'P-384', certificate: { name: 'ECDSA', hash: 'SHA-384' }, fromTheStart: false },
  { alg: 'ES512', kty: 'EC', curve: 'P-521', certificate: { name: 'ECDSA', hash: 'SHA-512' }, fromTheStart: false },
] as const

export type SigningAlgorithm = (typeof table)[number]['alg']

/** Those that are signed with a key of ours. */
export const SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = table.map(({ alg }) => alg)

/** Those that have a key from the first start on. */
export const FIRST_ALGORITHMS: readonly SigningAlgorithm[] = table.flatMap((row) => (row.fromTheStart ? [row.alg] : []))

/** Those that are signed with the client's secret (RFC 7518 §3.2). */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const

/** All that a client may have its tokens signed with. */
export const TOKEN_ALGORITHMS: readonly (SigningAlgorithm | (typeof SECRET_ALGORITHMS)[number])[] = [
  ...SIGNING_ALGORITHMS,
  ...SECRET_ALGORITHMS,
]

export function isSigningAlgorithm(alg: unknown): alg is SigningAlgorithm {
  return table.some((row) => row.alg === alg)
}

/** What a key can sign with, by its JWK members; empty for a key that we have no use for. */
export function algorithmsOf(key: { readonly kty?: unknown; readonly crv?: unknown }): readonly SigningAlgorithm[] {
  return table.filter(({ kty, curve }) => kty === key.kty && curve === key.crv).map(({ alg }) => alg)
}

/** How to sign the certificate of such a key, or undefined where it has none. */
export function certificateSignature(alg: SigningAlgorithm): { name: string; hash: string } | undefined {
  return table.find((row) => row.alg === alg)?.certificate
}

/** Where keys of the algorithm stand in the JWKS; one that only a newer release knows comes last. */
export function algorithmRank(alg: string): number {
  const rank = table.findIndex((row) => row.alg === alg)
  return rank < 0 ? table.length : rank
}
