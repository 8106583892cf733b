/** The rules between the members of a client: what its type allows, and what would contradict itself. */
import { foundIn, type Problems } from '#core/problems.ts'
import { subjectTypeProblem } from '#core/subjects/sector.ts'
import type { ClientDraft } from './client.ts'
import { backchannelProblems } from './backchannel-grant.ts'
import { authenticationProblems, keepsSecret, methodOf } from './client-authentication.ts'
import { fapi2Problems } from './fapi2.ts'
import { grantTypesOf, isConfidential, PRESETS, responseTypesFor, signsPeopleIn } from './presets.ts'
import { redirectUrisProblem, type RedirectPurpose } from './redirect-uri.ts'
import { encryptionProblems } from './response-encryption.ts'
import { idleFlows, IMPLICIT_GRANT } from './response-flows.ts'
import { sharedSecretProblems } from './signing-algorithms.ts'
import { SWITCHED_GRANTS } from './switched-grants.ts'
import { textsIn } from './texts-in.ts'

/** One sentence for each member that breaks a rule, keyed by the member's public name; empty when all is well. */
export function clientProblems(draft: ClientDraft): Record<string, string> {
  return foundIn({
    name: draft.name === '' ? 'A client needs a name.' : undefined,
    redirect_uris: redirectProblem(draft, 'redirect_uris'),
    post_logout_redirect_uris: redirectProblem(draft, 'post_logout_redirect_uris'),
    groups: groupsProblem(draft),
    first_party: firstPartyProblem(draft),
    require_pkce: pkceProblem(draft),
    claims: claimsProblem(draft),
    subject_type: subjectTypeProblem(draft),
    ...presetProblems(draft),
    ...authenticationProblems(draft),
    ...sharedSecretProblems(draft.registered, whoSigns(draft)),
    ...encryptionProblems(draft.registered),
    ...backchannelProblems(draft.registered, grantTypesOf(draft.type, draft.registered)),
    ...profileProblems(draft),
  })
}

function redirectProblem({ type, registered }: ClientDraft, purpose: RedirectPurpose): string | undefined {
  const uris = textsIn(registered[purpose])
  const redirects = responseTypesFor(type, grantTypesOf(type, registered)).length > 0
  if (purpose === 'redirect_uris' && redirects && uris.length === 0)
    return `A ${type} client needs at least one redirect URI${SWITCHED_GRANTS.some((grant) => PRESETS[type].furtherGrantTypes.includes(grant)) ? ', or the device flow' : ''}.`
  return redirectUrisProblem(uris, type, purpose)
}

function groupsProblem({ assignment, groups }: ClientDraft): string | undefined {
  if (assignment === 'groups' || groups.length === 0) return undefined
  return 'Groups count only where the assignment is "groups"; this client is open to everyone.'
}

function firstPartyProblem({ firstParty, origin }: ClientDraft): string | undefined {
  return firstParty && origin !== 'administrator'
    ? 'This application registered itself, so people are asked for consent: vouch for it first (--vouched).'
    : undefined
}

function pkceProblem({ type, requirePkce, profile }: ClientDraft): string | undefined {
  if (!requirePkce && profile === 'fapi2')
    return 'A client of the profile fapi2 always uses PKCE (FAPI 2.0 §5.3.2.2 no. 5).'
  return requirePkce || isConfidential(type) ? undefined : `A ${type} client always uses PKCE (RFC 9700 §2.1.1).`
}

function claimsProblem({ type, registered, claims }: ClientDraft): string | undefined {
  if (claims.length > 0 && !signsPeopleIn(type)) return `Nobody signs in to a ${type} client, so it is given no claims.`
  const allowed = typeof registered['scope'] === 'string' ? registered['scope'].split(' ') : undefined
  const never = claims.find(({ scope }) => scope !== undefined && allowed?.includes(scope) === false)
  return never && `The claim ${never.claim} hangs on the scope ${never.scope}, which this client may not ask for.`
}

/** Only what the profile adds to the other rules, so that theirs keep their words. */
function profileProblems({ type, registered, profile }: ClientDraft): Problems {
  if (profile !== 'fapi2') return {}
  return foundIn(fapi2Problems(registered, isConfidential(type)))
}

/** As sentences name a client that may have no secret: public by its type, or with keys of its own. */
function whoSigns(draft: ClientDraft) {
  const who = isConfidential(draft.type) ? `client with ${String(methodOf(draft))}` : `${draft.type} client`
  return { who, hasSecret: keepsSecret(draft) }
}

function presetProblems({ type, registered, refreshTokens }: ClientDraft): Problems {
  const preset = PRESETS[type]
  const grants = registered['grant_types']
  return {
    application_type: oneOf(type, registered['application_type'], [preset.applicationType]),
    token_endpoint_auth_method: oneOf(type, registered['token_endpoint_auth_method'], preset.authMethods),
    response_types: responseTypesProblem(type, registered),
    grant_types:
      grantsProblem(type, grants) ??
      (grants !== undefined &&
      refreshTokens === 'always' &&
      signsPeopleIn(type) &&
      !textsIn(grants).includes('refresh_token')
        ? 'Refresh tokens are set to "always", which needs the grant type refresh_token.'
        : undefined),
  }
}

function oneOf(type: ClientDraft['type'], value: unknown, allowed: readonly string[]): string | undefined {
  if (value === undefined || allowed.some((known) => known === value)) return undefined
  return `A ${type} client has ${allowed.join(' or ')} here.`
}

/** Without its own flow a client may still be one whose people sign in elsewhere, or one answered in the browser only. */
function grantsProblem(type: ClientDraft['type'], grants: unknown): string | undefined {
  const { grantTypes, furtherGrantTypes } = PRESETS[type]
  const allowed = [...grantTypes, ...furtherGrantTypes]
  const another = [...SWITCHED_GRANTS, IMPLICIT_GRANT].some((grant) => textsIn(grants).includes(grant))
  return subsetWith(type, another ? [...textsIn(grants), grantTypes[0]] : grants, allowed)
}

/** Each response type needs its grant types, and each of those a response type that uses it. */
function responseTypesProblem(type: ClientDraft['type'], registered: ClientDraft['registered']): string | undefined {
  const grants = grantTypesOf(type, registered)
  const allowed = responseTypesFor(type, grants)
  const { response_types: given } = registered
  const problem = subset(type, given, allowed)
  if (problem !== undefined) return problem
  const [idle] = idleFlows(grants, given === undefined ? PRESETS[type].responseTypes : textsIn(given))
  return idle === undefined
    ? undefined
    : `The grant type ${idle} needs a response type that uses it, such as ${idle === IMPLICIT_GRANT ? 'id_token' : 'code'}.`
}

/** The first of the allowed values is what the type is about, and may not be missing. */
function subsetWith(type: ClientDraft['type'], value: unknown, allowed: readonly string[]): string | undefined {
  const [first] = allowed
  if (value === undefined || first === undefined || textsIn(value).includes(first)) return subset(type, value, allowed)
  return onlyThese(type, allowed)
}

function subset(type: ClientDraft['type'], value: unknown, allowed: readonly string[]): string | undefined {
  if (value === undefined || textsIn(value).every((one) => allowed.includes(one))) return undefined
  return onlyThese(type, allowed)
}

function onlyThese(type: ClientDraft['type'], [first, ...further]: readonly string[]): string {
  if (first === undefined) return `A ${type} client has none.`
  return `A ${type} client has ${first}${further.length > 0 ? ` and may have ${further.join(', ')}` : ' and nothing else'}.`
}
