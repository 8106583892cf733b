/**
 * What comes back from a sign-in, and the grant types that it goes through (OpenID Connect Dynamic Client Registration
 * 1.0 §2). What comes back beside or instead of a code comes through the browser, where more people see it: only
 * clients that registered for it are given it. `token` alone is not here: nobody would know for whom it is.
 */
export const IMPLICIT_GRANT = 'implicit'
const CODE_GRANT = 'authorization_code'

export const FRONT_CHANNEL_RESPONSE_TYPES = [
  'id_token',
  'id_token token',
  'code id_token',
  'code token',
  'code id_token token',
] as const

export const RESPONSE_TYPES = ['code', ...FRONT_CHANNEL_RESPONSE_TYPES] as const

/** The one spelling of a response type: its words may be said in any order (RFC 6749 §3.1.1). */
export function normalResponseType(responseType: string): string {
  return [...new Set(responseType.split(' '))].toSorted().join(' ')
}

/** The grant types that the response types go through. */
function flowsOf(responseTypes: readonly string[]): string[] {
  const words = new Set(responseTypes.flatMap((type) => type.split(' ')))
  return [
    ...(words.has('code') ? [CODE_GRANT] : []),
    ...(words.has('token') || words.has('id_token') ? [IMPLICIT_GRANT] : []),
  ]
}

/** The grant types of a client that named none: the usual ones as far as its response types use them. */
export function grantsFor(responseTypes: readonly string[], usual: readonly string[]): readonly string[] {
  const flows = flowsOf(responseTypes)
  return [...(flows.includes(CODE_GRANT) ? usual : []), ...flows.filter((flow) => flow !== CODE_GRANT)]
}

/** Those of the response types whose grant types are all there. */
export function possibleWith(grantTypes: readonly unknown[], responseTypes: readonly string[]): string[] {
  return responseTypes.filter((type) => flowsOf([type]).every((flow) => grantTypes.includes(flow)))
}

/** The grant types that only response types use, and that none of these uses. */
export function idleFlows(grantTypes: readonly unknown[], responseTypes: readonly string[]): string[] {
  const used = flowsOf(responseTypes)
  return [CODE_GRANT, IMPLICIT_GRANT].filter((flow) => grantTypes.includes(flow) && !used.includes(flow))
}
