/**
 * What a claim of one's own may be called. A name that a token, a protocol or OpenID Connect gives a meaning to is taken:
 * a relying party that checks `aud`, `nonce` or `email_verified` must be able to believe it (RFC 7519 §4.2).
 */
import { STANDARD_SCOPE_CLAIMS } from '#core/clients/scopes.ts'

/** OpenID Connect Core 1.0 §5.1, without `sub`: given by scope only, from where this server keeps them. */
export const STANDARD_CLAIMS: readonly string[] = Object.values(STANDARD_SCOPE_CLAIMS).flat()

/** Claims that tell of the token, the sign-in or the request: the protocols' own, from IANA's registry of JWT claims. */
const OF_THE_PROTOCOL =
  'iss sub aud exp nbf iat jti typ nonce at_hash c_hash s_hash rt_hash auth_time acr amr azp sid sub_jwk sub_id cnf act may_act ' +
  'scope client_id events toe txn _claim_names _claim_sources authorization_details token_introspection ' +
  'htm htu ath active username token_type trust_chain metadata status vct vp vc ' +
  'urn:openid:params:jwt:claim:rt_hash urn:openid:params:jwt:claim:auth_req_id'

const RESERVED = new Set<string>([...STANDARD_CLAIMS, ...OF_THE_PROTOCOL.split(' ')])

const MAX_LENGTH = 128

/** What is wrong with the name of a claim of one's own, as a sentence, or undefined. */
export function claimNameProblem(name: string): string | undefined {
  if (name.length > MAX_LENGTH) return `The name of a claim has at most ${MAX_LENGTH} characters.`
  if (!/^[A-Za-z_][\w.:/#?&%~+-]*$/.test(name)) {
    return `${JSON.stringify(name)} cannot name a claim: begin with a letter and use letters, digits and _ . : / - such as department or https://example.com/department.`
  }
  if (RESERVED.has(name)) return `${name} has a meaning of its own in OpenID Connect: choose another name.`
  return isDangerousKey(name) ? `${name} cannot name a claim: choose another name.` : undefined
}

/** Keys that make a program in JavaScript change what it never meant to touch. */
export function isDangerousKey(key: string): boolean {
  return ['__proto__', 'constructor', 'prototype'].includes(key)
}
