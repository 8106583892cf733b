/**
 * The witness: what the server saw of a request, told to who holds the master key, and to nobody else. From outside
 * there is no other honest way to know which address a caller has behind proxies. The question carries a proof of the
 * key, the answer is sealed with it: who gets hold of a question and asks it again learns nothing, and an answer to one
 * question is none to another.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { equalSecrets, type SealedPlace, type Secrets } from '#core/secrets.ts'

export const WITNESS_PATH = '/doctor'

/** How far the clocks of who asks and who answers may differ. */
const PROOF_SECONDS = 300

const address = z.string().refine((text) => isIP(text) !== 0)

const testimony = z.object({
  /** The address that the caller is counted under. */
  clientAddress: address,
  /** Where the connection came from: the last proxy, if there is one. */
  peerAddress: address,
  peerIsTrusted: z.boolean(),
  /** Headers as they arrived, empty where none did. */
  forwardedFor: z.string(),
  host: z.string(),
  /** Of CLIENT_CERT_HEADER, in which proxies hand certificates on. */
  certificate: z.string(),
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

/** The answer to who came with the proof. */
export function sealedTestimony(told: Testimony, proof: string, secrets: Secrets): string {
  return secrets.seal(answerTo(proof), JSON.stringify(told))
}

/** The testimony in the answer to the proof; undefined in whatever else answered. */
export function testimonyIn(answer: string, proof: string, secrets: Secrets): Testimony | undefined {
  try {
    return testimony.parse(JSON.parse(secrets.open(answerTo(proof), answer)))
  } catch {
    return undefined
  }
}

function answerTo(proof: string): SealedPlace {
  return { table: 'doctor', column: 'testimony', row: proof }
}
