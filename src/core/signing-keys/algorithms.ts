/**
 * The algorithms that tokens are signed with (RFC 7518 §3.1, RFC 8037), in the order they stand in the JWKS: a relying
 * party that reads only the first key finds the one everybody knows. One line makes a further one; `certificate` says
 * how the certificate of such a key is signed, and is absent where certificates for the key are not commonly read.
 */
const table = [
  { alg: 'RS256', certificate: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } },
  { alg: 'ES256', certificate: { name: 'ECDSA', hash: 'SHA-256' } },
  { alg: 'EdDSA', certificate: undefined },
] as const

export type SigningAlgorithm = (typeof table)[number]['alg']

export const SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = table.map(({ alg }) => alg)

/** How to sign the certificate of such a key, or undefined where it has none. */
export function certificateSignature(alg: SigningAlgorithm): { name: string; hash: string } | undefined {
  return table.find((row) => row.alg === alg)?.certificate
}

/** Where keys of the algorithm stand in the JWKS; one that only a newer release knows comes last. */
export function algorithmRank(alg: string): number {
  const rank = table.findIndex((row) => row.alg === alg)
  return rank < 0 ? table.length : rank
}
