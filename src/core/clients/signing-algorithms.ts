import { isSigningAlgorithm, type SigningAlgorithm } from '#core/signing-keys/algorithms.ts'
import { refusedClient } from './refused-client.ts'

/** The members that say how something is signed for the client. */
const MEMBERS = [
  'id_token_signed_response_alg',
  'userinfo_signed_response_alg',
  'introspection_signed_response_alg',
  'authorization_signed_response_alg',
] as const

/** Those that may name an algorithm of the client's secret. */
const SECRET_MEMBERS = [...MEMBERS, 'request_object_signing_alg'] as const

/** What a secret has to have at least, in bytes of its text (RFC 7518 §3.2). */
const SECRET_BYTES: ReadonlyMap<unknown, number> = new Map([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
])

/** The algorithms that a key of ours is needed for. */
export function signingAlgorithmsOf(metadata: Readonly<Record<string, unknown>>): SigningAlgorithm[] {
  return [...new Set(MEMBERS.map((member) => metadata[member]).filter((alg) => isSigningAlgorithm(alg)))]
}

/** One sentence for each member that asks for a secret of a client that has none. */
export function sharedSecretProblems(
  metadata: Readonly<Record<string, unknown>>,
  { who, hasSecret }: { readonly who: string; readonly hasSecret: boolean },
): Record<string, string> {
  if (hasSecret) return {}
  const asking = SECRET_MEMBERS.filter((member) => SECRET_BYTES.has(metadata[member]))
  return Object.fromEntries(
    asking.map((member) => [
      member,
      `${String(metadata[member])} signs with the client's secret, and a ${who} has none.`,
    ]),
  )
}

/** @throws AppError(invalid_input) where the secret is shorter than what it signs with asks for */
export function mustBeLongEnough(metadata: Readonly<Record<string, unknown>>, secret: string | undefined): void {
  const fields = [...SECRET_MEMBERS, 'token_endpoint_auth_signing_alg'].flatMap((member): [string, string][] => {
    const bytes = SECRET_BYTES.get(metadata[member])
    if (bytes === undefined || secret === undefined || Buffer.byteLength(secret) >= bytes) return []
    return [[member, `${String(metadata[member])} needs a secret of ${bytes} bytes; this client has a shorter one.`]]
  })
  if (fields.length === 0) return
  throw refusedClient(Object.fromEntries(fields), 'Give it a new secret first: latchkey client rotate-secret ID.')
}
