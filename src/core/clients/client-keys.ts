/** The public keys that a client registers: it signs requests with their private halves, and we encrypt to them. */
import { z } from 'zod'

const MAX_KEYS = 20
const MAX_JWKS_CHARACTERS = 32_768
/** What only the owner of a key may know (RFC 7518 §6.2.2, §6.3.2, §6.4.1). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const publicKey = z
  .looseObject({ kty: z.string('A key has a kty (RFC 7517 §4.1).') }, 'A key is a JSON object.')
  .superRefine((key, context) => {
    const found = PRIVATE_MEMBERS.find((member) => member in key)
    if (found !== undefined)
      context.addIssue(`A key holds ${found}, which is private: register the public key, and replace this one.`)
  })

/** RFC 7517 §5; what the keys themselves have to be like is judged by the protocol library. */
export const publicKeySet = z
  .looseObject(
    { keys: z.array(publicKey, 'A JWKS has a list of keys.').min(1, 'A JWKS has at least one key.').max(MAX_KEYS) },
    'A JWKS is a JSON object with a list of keys.',
  )
  .refine((set) => JSON.stringify(set).length <= MAX_JWKS_CHARACTERS, 'The JWKS is too large.')
