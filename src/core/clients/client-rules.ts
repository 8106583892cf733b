/** The rules between the members of a client: what its type allows, and what would contradict itself. */
import type { ClientDraft } from './client.ts'
import { authenticationProblems, keepsSecret, methodOf } from './client-authentication.ts'
import { DEVICE_GRANT } from './device-grant.ts'
import { isConfidential, PRESETS, responseTypesFor, signsPeopleIn } from './presets.ts'
import { redirectUrisProblem, type RedirectPurpose } from './redirect-uri.ts'
import { sharedSecretProblems } from './signing-algorithms.ts'

type Problems = Readonly<Record<string, string | undefined>>

/** One sentence for each member that breaks a rule, keyed by the member's public name; empty when all is well. */
export function clientProblems(draft: ClientDraft): Record<string, string> {
  const problems: Problems = {
    name: draft.name === '' ? 'A client needs a name.' : undefined,
    redirect_uris: redirectProblem(draft, 'redirect_uris'),
    post_logout_redirect_uris: redirectProblem(draft, 'post_logout_redirect_uris'),
    groups: groupsProblem(draft),
    require_pkce: pkceProblem(draft),
    claims: claimsProblem(draft),
    ...presetProblems(draft),
    ...authenticationProblems(draft),
    ...sharedSecretProblems(draft.registered, whoSigns(draft)),
  }
  return Object.fromEntries(
    Object.entries(problems).flatMap(([name, problem]) => (problem === undefined ? [] : [[name, problem]])),
  )
}

function redirectProblem({ type, registered }: ClientDraft, purpose: RedirectPurpose): string | undefined {
  const uris = textsIn(registered[purpose])
  const redirects = responseTypesFor(type, grantsOf(type, registered)).length > 0
  if (purpose === 'redirect_uris' && redirects && uris.length === 0)
    return `A ${type} client needs at least one redirect URI${PRESETS[type].furtherGrantTypes.includes(DEVICE_GRANT) ? ', or the device flow' : ''}.`
  return redirectUrisProblem(uris, type, purpose)
}

function groupsProblem({ assignment, groups }: ClientDraft): string | undefined {
  if (assignment === 'groups' || groups.length === 0) return undefined
  return 'Groups count only where the assignment is "groups"; this client is open to everyone.'
}

function pkceProblem({ type, requirePkce }: ClientDraft): string | undefined {
  return requirePkce || isConfidential(type) ? undefined : `A ${type} client always uses PKCE (RFC 9700 §2.1.1).`
}

function claimsProblem({ type, registered, claims }: ClientDraft): string | undefined {
  if (claims.length > 0 && !signsPeopleIn(type)) return `Nobody signs in to a ${type} client, so it is given no claims.`
  const allowed = typeof registered['scope'] === 'string' ? registered['scope'].split(' ') : undefined
  const never = claims.find(({ scope }) => scope !== undefined && allowed?.includes(scope) === false)
  return never && `The claim ${never.claim} hangs on the scope ${never.scope}, which this client may not ask for.`
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
    response_types: subsetWith(type, registered['response_types'], responseTypesFor(type, grantsOf(type, registered))),
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

/** Without its own flow a client may still be one of devices only. */
function grantsProblem(type: ClientDraft['type'], grants: unknown): string | undefined {
  const { grantTypes, furtherGrantTypes } = PRESETS[type]
  const allowed = [...grantTypes, ...furtherGrantTypes]
  const devicesOnly = allowed.includes(DEVICE_GRANT) && textsIn(grants).includes(DEVICE_GRANT)
  return subsetWith(type, devicesOnly ? [...textsIn(grants), grantTypes[0]] : grants, allowed)
}

function grantsOf(type: ClientDraft['type'], registered: ClientDraft['registered']): readonly string[] {
  const grants = registered['grant_types']
  return grants === undefined ? PRESETS[type].grantTypes : textsIn(grants)
}

/** The first of the allowed values is what the type is about, and may not be missing. */
function subsetWith(type: ClientDraft['type'], value: unknown, allowed: readonly string[]): string | undefined {
  if (value === undefined) return undefined
  const given = textsIn(value)
  const [first] = allowed
  if (given.every((one) => allowed.includes(one)) && (first === undefined || given.includes(first))) return undefined
  return first === undefined
    ? `A ${type} client has none.`
    : `A ${type} client has ${first}${allowed.length > 1 ? ` and may have ${allowed.slice(1).join(', ')}` : ' and nothing else'}.`
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
