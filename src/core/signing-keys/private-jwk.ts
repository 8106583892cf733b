import { z } from 'zod'

const common = {
  kid: z.string(),
  alg: z.string(),
  use: z.literal('sig'),
  /** Standard base64 (not base64url) of the DER, RFC 7517 §4.7. */
  x5c: z.array(z.string()).exactOptional(),
}

/** A private signing key as it is sealed, and as the protocol library takes it (RFC 7517, RFC 7518 §6, RFC 8037). */
export const privateJwk = z.discriminatedUnion('kty', [
  z.object({
    ...common,
    kty: z.literal('RSA'),
    n: z.string(),
    e: z.string(),
    d: z.string(),
    p: z.string(),
    q: z.string(),
    dp: z.string(),
    dq: z.string(),
    qi: z.string(),
  }),
  z.object({ ...common, kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string(), d: z.string() }),
  z.object({ ...common, kty: z.literal('OKP'), crv: z.string(), x: z.string(), d: z.string() }),
])

export type PrivateJwk = z.infer<typeof privateJwk>
