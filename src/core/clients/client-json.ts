import type { Client } from './client.ts'

/**
 * A client as every door answers with it: RFC 7591 metadata and the house's own members.
 * @param secret only in the answers that made it (create, rotate-secret); `client.secret` is never printed
 */
export function clientJson(client: Client, secret?: string): Record<string, unknown> {
  return {
    client_id: client.id,
    ...(secret === undefined ? {} : { client_secret: secret }),
    client_name: client.name,
    ...client.metadata,
    type: client.type,
    first_party: client.firstParty,
    assignment: client.assignment,
    groups: client.groups,
    require_pkce: client.requirePkce,
    id_token_claims: client.idTokenClaims,
    refresh_tokens: client.refreshTokens,
    claims: client.claims,
    origin: client.origin,
    ...(client.registrationTokenId === undefined ? {} : { registration_token_id: client.registrationTokenId }),
    profile: client.profile,
    ...(client.previousSecret ? { previous_secret_expires_at: client.previousSecret.expiresAt } : {}),
    disabled: client.disabled,
    created_at: client.createdAt,
    updated_at: client.updatedAt,
  }
}
