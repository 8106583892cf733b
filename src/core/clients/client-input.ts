/**
 * What may be said about a client, as one shape for every door (command line, REST, console): the rules of single
 * members stand here and in client-metadata.ts, the rules between members in client-rules.ts.
 */
import { z } from 'zod'
import { claimRules } from '#core/custom-claims/claim-rules.ts'
import { AppError } from '#platform/errors.ts'
import { CIBA_GRANT, DELIVERY_WORDS, withoutIdleDelivery } from './backchannel-grant.ts'
import {
  CLIENT_ASSIGNMENTS,
  CLIENT_PROFILES,
  CLIENT_TYPES,
  ID_TOKEN_CLAIMS,
  REFRESH_TOKENS,
  type ClientDraft,
  type ClientOrigin,
} from './client.ts'
import { calledAddress, clientMetadata, deliveryMode, scopeList, shownName, uriList } from './client-metadata.ts'
import { clientProblems } from './client-rules.ts'
import { DEVICE_GRANT } from './device-grant.ts'
import { grantTypesOf, isConfidential, PRESETS } from './presets.ts'
import { refusedClient } from './refused-client.ts'
import { SWITCHED_GRANTS, withSwitched } from './switched-grants.ts'

const clientInput = z
  .strictObject({
    name: shownName,
    type: z.enum(CLIENT_TYPES),
    redirect_uris: uriList,
    post_logout_redirect_uris: uriList,
    backchannel_logout_uri: calledAddress,
    scope: scopeList,
    first_party: z.boolean(),
    assignment: z.enum(CLIENT_ASSIGNMENTS),
    groups: z
      .array(shownName)
      .max(200)
      .transform((groups) => [...new Set(groups)].toSorted()),
    require_pkce: z.boolean(),
    id_token_claims: z.enum(ID_TOKEN_CLAIMS),
    refresh_tokens: z.enum(REFRESH_TOKENS),
    claims: claimRules,
    /** An administrator vouches for software that registered itself; there is no way back. */
    origin: z.literal('administrator'),
    profile: z.enum(CLIENT_PROFILES),
    /** Whether the grant types hold the one of RFC 8628. */
    device_flow: z.boolean(),
    /** How it hears of answers to its backchannel authentication requests; false: it may make none. */
    ciba: z.union([z.literal(false), deliveryMode], DELIVERY_WORDS),
    /** Further metadata. A member that stands above too counts only where that one is absent. */
    metadata: clientMetadata,
  })
  .partial()

type ClientInput = z.output<typeof clientInput>

const UNDECIDED: ClientDraft = {
  name: '',
  type: 'web',
  registered: {},
  firstParty: false,
  assignment: 'everyone',
  groups: [],
  requirePkce: false,
  idTokenClaims: 'full',
  refreshTokens: 'offline_access',
  claims: [],
  origin: 'administrator',
  profile: 'none',
}

/**
 * Reads a registration. Software that nobody here chose is told of people what it asks for, where it asks: at userinfo
 * (OpenID Connect Core 1.0 §5.4). @throws AppError(invalid_input) with one message a field
 */
export function parseRegistration(input: unknown, origin: ClientOrigin = 'administrator'): ClientDraft {
  const idTokenClaims = origin === 'administrator' ? 'full' : 'strict'
  return decide({ ...UNDECIDED, origin, idTokenClaims }, parseShape(input))
}

/** Reads what a client says about itself anew: metadata that is not named any more goes. @throws AppError(invalid_input) */
export function parseReplacement(before: ClientDraft, input: unknown): ClientDraft {
  return parseChange({ ...before, registered: {} }, input)
}

/** Reads a change to a client: lists replace, members of `metadata` that are null go. @throws AppError(invalid_input) */
export function parseChange(before: ClientDraft, input: unknown): ClientDraft {
  const change = parseShape(input)
  if (Object.values(change).every((value) => value === undefined)) {
    throw new AppError('invalid_input', 'Nothing to change was given.', {
      hint: 'Name at least one setting and its new value.',
    })
  }
  if (change.type !== undefined && isConfidential(change.type) !== isConfidential(before.type)) {
    throw refusedClient({
      type: `A ${before.type} client cannot become a ${change.type} client: one of them has a secret. Register a new client.`,
    })
  }
  if (change.origin !== undefined && before.origin === 'metadata_document') {
    throw refusedClient({
      origin: 'What its document says may change any day, so nobody can vouch for it. Register it instead.',
    })
  }
  return decide(before, change)
}

function parseShape(input: unknown): ClientInput {
  const parsed = clientInput.safeParse(input)
  if (parsed.success) return parsed.data
  // a map, since a member may be called __proto__
  const fields = new Map<string, string>()
  for (const { path, message, ...issue } of parsed.error.issues.toReversed()) {
    // members of the metadata are known by their own names
    const inMetadata = path[0] === 'metadata'
    const why = inMetadata
      ? 'This is not a member of the metadata that can be registered.'
      : 'There is no such setting.'
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) fields.set(key, why)
    else fields.set(String((inMetadata ? path[1] : undefined) ?? path[0] ?? 'client'), message)
  }
  throw refusedClient(Object.fromEntries(fields))
}

function decide(before: ClientDraft, input: ClientInput): ClientDraft {
  const { client_name: nameInMetadata, ...further } = input.metadata ?? {}
  const type = input.type ?? before.type
  const assignment = input.assignment ?? before.assignment
  const profile = input.profile ?? before.profile
  const given = {
    redirect_uris: input.redirect_uris,
    post_logout_redirect_uris: input.post_logout_redirect_uris,
    backchannel_logout_uri: input.backchannel_logout_uri,
    scope: input.scope,
    backchannel_token_delivery_mode: input.ciba === false ? undefined : input.ciba,
  }
  const changed = { ...withoutIdleDelivery(before.registered, input.ciba), ...further, ...onlyGiven(given) }
  const draft: ClientDraft = {
    name: input.name ?? nameInMetadata ?? before.name,
    type,
    registered: withGrants(type, withoutAbsent(changed), input),
    firstParty: input.first_party ?? before.firstParty,
    assignment,
    groups: input.groups ?? (assignment === 'groups' ? before.groups : []),
    // a public client cannot keep a secret, so its codes are worth nothing without the verifier (RFC 9700 §2.1.1)
    requirePkce: input.require_pkce ?? (!isConfidential(type) || profile === 'fapi2' || before.requirePkce),
    idTokenClaims: input.id_token_claims ?? before.idTokenClaims,
    refreshTokens: input.refresh_tokens ?? before.refreshTokens,
    claims: input.claims ?? before.claims,
    origin: input.origin ?? before.origin,
    profile,
  }
  const problems = clientProblems(draft)
  if (Object.keys(problems).length > 0) throw refusedClient(problems)
  return draft
}

/** What the switched grant types make of the others. Those that were named one by one are left as they were named. */
function withGrants(
  type: ClientDraft['type'],
  registered: Record<string, unknown>,
  { device_flow: device, ciba, metadata }: ClientInput,
): Record<string, unknown> {
  const { grantTypes: preset } = PRESETS[type]
  const { grant_types: _, ...rest } = registered
  const grants = grantTypesOf(type, registered)
  const had = SWITCHED_GRANTS.filter((grant) => grants.includes(grant))
  const wanted = { [DEVICE_GRANT]: device, [CIBA_GRANT]: ciba === undefined ? undefined : ciba !== false }
  const named = device === undefined && ciba === undefined && metadata?.grant_types !== undefined
  const on = SWITCHED_GRANTS.filter((grant) => wanted[grant] ?? had.includes(grant))
  if (named || (on.length === 0 && had.length === 0)) return registered
  const uris = rest['redirect_uris']
  const redirects = Array.isArray(uris) && uris.length > 0
  const made = withSwitched(grants, preset[0], { on, redirects })
  return made.join(' ') === preset.join(' ') ? rest : { ...rest, grant_types: made }
}

function onlyGiven(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function withoutAbsent(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null))
}
