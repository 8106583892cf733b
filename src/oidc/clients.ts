import type { Client } from 'oidc-provider'
import { z } from 'zod'
import {
  CLIENT_ASSIGNMENTS,
  CLIENT_ORIGINS,
  CLIENT_PROFILES,
  CLIENT_TYPES,
  ID_TOKEN_CLAIMS,
  REFRESH_TOKENS,
  type ClientSettings,
} from '#core/clients/client.ts'
import { claimRules } from '#core/custom-claims/claim-rules.ts'

/** Our own members of a registered client, as the library carries them: under their literal names. */
const extras = z.object({
  type: z.enum(CLIENT_TYPES),
  first_party: z.boolean(),
  assignment: z.enum(CLIENT_ASSIGNMENTS),
  groups: z.array(z.string()),
  require_pkce: z.boolean(),
  id_token_claims: z.enum(ID_TOKEN_CLAIMS),
  refresh_tokens: z.enum(REFRESH_TOKENS),
  claims: claimRules,
  origin: z.enum(CLIENT_ORIGINS),
  profile: z.enum(CLIENT_PROFILES),
})

/** Their names, for the library, which drops what it was not told of. */
export const HOUSE_MEMBERS = Object.keys(extras.shape)

/** The library keeps the object of a client for as long as what it reads is the same: a changed row is a new object. */
const parsed = new WeakMap<Client, ClientSettings>()

/** Our settings of a client that the library has loaded. */
export function clientSettings(client: Client): ClientSettings {
  const known = parsed.get(client)
  if (known) return known
  const own = extras.parse(client)
  const settings: ClientSettings = {
    type: own.type,
    firstParty: own.first_party,
    assignment: own.assignment,
    groups: own.groups,
    requirePkce: own.require_pkce,
    idTokenClaims: own.id_token_claims,
    refreshTokens: own.refresh_tokens,
    claims: own.claims,
    origin: own.origin,
    profile: own.profile,
  }
  parsed.set(client, settings)
  return settings
}
