/**
 * What the FAPI 2.0 Security Profile (Final) demands of a request of a client that has it, beside what
 * core/clients/fapi2.ts lays over the client's metadata: of each JWT that the client sends, and of what it is given.
 */
import { errors, type Client, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { decodeJwt } from 'jose'
import type { Api } from '#core/apis/api.ts'
import { FAPI2_ALGORITHMS, FAPI2_CODE_SECONDS } from '#core/clients/fapi2.ts'
import { clientSettings } from './clients.ts'

type Features = NonNullable<Configuration['features']>
export type RequestObjectJudge = NonNullable<NonNullable<Features['requestObjects']>['assertJwtClaimsAndHeader']>
type Judge = NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']>

/** §5.3.2.1 no. 13: how far ahead of our clock the client's may be, in seconds. */
const MOST_AHEAD_SECONDS = 60
/** Message Signing §5.3.1: between the `nbf` and the `exp` of a request object, and since its `nbf`. */
const LONGEST_REQUEST_SECONDS = 3_600

/** True for clients of the profile. Without a client, as before one is known, nothing is demanded. */
export function isFapi2(client: Client | undefined): boolean {
  return client !== undefined && clientSettings(client).profile === 'fapi2'
}

/** Tells the library whose requests are under the profile, so that what it knows of it holds too. */
export const fapi: NonNullable<Features['fapi']> = {
  enabled: true,
  profile: (_ctx, client) => (isFapi2(client) ? '2.0' : undefined),
}

/** Assertions name the issuer as their one audience (§5.3.2.1 no. 8). @throws InvalidClientAuth */
export const judgeFapi2Assertion: Judge = ({ oidc }, { aud }, { alg }, client) => {
  if (!isFapi2(client)) return
  if (!isAllowed(alg)) throw new errors.InvalidClientAuth(`an assertion is signed with ${ALLOWED}`)
  if (aud !== oidc.issuer)
    throw new errors.InvalidClientAuth('the audience (aud) has to be the issuer, as a text and no list')
}

/**
 * Signed requests: how they are signed, and for how long they are good (Message Signing §5.3.1). What was pushed without a
 * signature comes by here too, when it is used: the library keeps it as an unsigned JWT. @throws InvalidRequestObject
 */
export const judgeFapi2RequestObject: RequestObjectJudge = ({ oidc }, { nbf, exp, aud }, { alg }, client) => {
  if (!isFapi2(client)) return
  const wasPushed = oidc.entities.PushedAuthorizationRequest !== undefined
  if (!wasPushed && !isAllowed(alg)) throw new errors.InvalidRequestObject(`a request object is signed with ${ALLOWED}`)
  if (typeof nbf !== 'number' || typeof exp !== 'number' || aud === undefined)
    throw new errors.InvalidRequestObject('a request object has the claims nbf, exp and aud')
  if (exp <= nbf || exp - nbf > LONGEST_REQUEST_SECONDS || nbf < now() - LONGEST_REQUEST_SECONDS)
    throw new errors.InvalidRequestObject('a request object is good for an hour at most, from its nbf on')
}

/**
 * Refuses proofs from the future, which the library takes for five minutes. It asks here before it looks at the proof
 * itself, and refuses what cannot be read. @returns false, since no nonce is demanded @throws InvalidDpopProof
 */
export function judgeProof({ oidc, req }: KoaContextWithOIDC): boolean {
  const isAhead =
    isFapi2(oidc.client) && timesIn(String(req.headers['dpop'])).some((at) => at > now() + MOST_AHEAD_SECONDS)
  if (isAhead) throw new errors.InvalidDpopProof('the DPoP proof was made in the future')
  return false
}

function timesIn(proof: string): number[] {
  try {
    const { iat, nbf } = decodeJwt(proof)
    return [iat ?? 0, nbf ?? 0]
  } catch {
    return []
  }
}

/** An API's JWTs are signed like all others, or it reads none of this client's (§5.4.1 no. 1). @throws InvalidTarget */
export function refuseOtherSignatures(client: Client, { format, signingAlg }: Api): void {
  if (!isFapi2(client) || format === 'opaque' || isAllowed(signingAlg)) return
  throw new errors.InvalidTarget(`tokens for this API are signed with ${signingAlg}, and have to be with ${ALLOWED}`)
}

/** How long a code lives, in seconds: what is set, and under the profile a minute at most (§5.3.2.1 no. 11). */
export function codeSeconds(seconds: number) {
  return (_ctx: unknown, _code: unknown, client: Client): number =>
    isFapi2(client) ? Math.min(seconds, FAPI2_CODE_SECONDS) : seconds
}

const ALLOWED = FAPI2_ALGORITHMS.join(', ')

function isAllowed(alg: unknown): boolean {
  return FAPI2_ALGORITHMS.some((allowed) => allowed === alg)
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
