/**
 * The witness: what the server saw of a request, told to who holds the master key, and to nobody else. From outside
 * there is no other honest way to know which address a caller has behind proxies.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { equalSecrets, type Secrets } from '#core/secrets.ts'

export const WITNESS_PATH = '/doctor'

/** How far the clocks of who asks and who answers may differ; a proof that leaks is worth nothing after that. */
const PROOF_SECONDS = 300

const address = z.string().refine((text) => isIP(text) !== 0)

export const testimony = z.object({
  /** The address that the caller is counted under. */
  clientAddress: address,
  /** Where the connection came from: the last proxy, if there is one. */
  peerAddress: address,
  peerIsTrusted: z.boolean(),
  forwardedFor: z.string().optional(),
  host: z.string(),
  /** What arrived in the header that proxies hand certificates on in (CLIENT_CERT_HEADER). */
  certificate: z.string().optional(),
})
export type Testimony = z.output<typeof testimony>

/** A proof of holding the master key, for a bearer header. @param now epoch seconds */
export function proofAt(now: number, secrets: Secrets): string {
  return `${now}.${secrets.keyedDigest('doctor', String(now))}`
}

/** True for a proof that was made now. */
export function isProof(proof: string, now: number, secrets: Secrets): boolean {
  const [time = ''] = proof.split('.')
  return Math.abs(Number(time) - now) <= PROOF_SECONDS && equalSecrets(proof, proofAt(Number(time), secrets))
}
