/**
 * What both servers know: the same signing keys, clients and people. Latchkey has them in its database; bare is handed
 * this, as JSON, in a file that only its user can read.
 */
import { z } from 'zod'
import { privateJwk } from '#core/signing-keys/private-jwk.ts'

/** The algorithms that are measured one beside another. */
export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

export const REDIRECT_URI = 'http://127.0.0.1:9/callback'
export const SCOPE = 'openid profile email'
export const PASSWORD = 'the tide comes in at noon'

const client = z.object({ id: z.string(), secret: z.string(), metadata: z.record(z.string(), z.unknown()) })

export const world = z.object({
  keys: z.array(privateJwk),
  /** Acts for itself. */
  service: client,
  /** People sign in to these and are asked for consent; their ID tokens are signed with the algorithm. */
  es256: client,
  rs256: client,
  /** The house's own: nobody is asked for consent. Bare knows no such client. */
  own: client,
  /** One for each lane, so that no two sign in by one name at once. */
  people: z.array(z.object({ username: z.string(), claims: z.object({ sub: z.string() }).loose() })),
})

export type World = z.infer<typeof world>
export type WorldClient = z.infer<typeof client>

/** The API whose access tokens are JWTs signed with the algorithm. */
export function apiOf(algorithm: Algorithm): string {
  return `https://api.example/${algorithm.toLowerCase()}`
}

/** HTTP Basic as RFC 6749 §2.3.1 has it. */
export function basic({ id, secret }: WorldClient): string {
  return `Basic ${Buffer.from([id, secret].map(encodeURIComponent).join(':')).toString('base64')}`
}
