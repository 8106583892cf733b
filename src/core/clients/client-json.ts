/** A client in the spelling of the wire: RFC 7591 metadata, and the house's own members under one name everywhere. */
import { isDeepStrictEqual } from 'node:util'
import type { Client, ClientSettings } from './client.ts'

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
    ...houseMembers(client),
    ...(client.registrationTokenId === undefined ? {} : { registration_token_id: client.registrationTokenId }),
    ...(client.previousSecret ? { previous_secret_expires_at: client.previousSecret.expiresAt } : {}),
    disabled: client.disabled,
    created_at: client.createdAt,
    updated_at: client.updatedAt,
  }
}

/** The names of what is not as it was. */
export function changedMembers(before: Client, after: Client): string[] {
  const [was, is] = [clientJson(before), clientJson(after)]
  const names = new Set([...Object.keys(was), ...Object.keys(is)])
  return [...names].filter((name) => !isDeepStrictEqual(was[name], is[name]))
}

/**
 * What the protocol library makes its client of: RFC 7591 metadata, the secret where there is one, and the house's own
 * members.
 */
export function toProviderMetadata(client: Client): Record<string, unknown> {
  return {
    ...client.metadata,
    client_id: client.id,
    client_name: client.name,
    ...(client.secret === undefined ? {} : { client_secret: client.secret, client_secret_expires_at: 0 }),
    ...(client.previousSecret === undefined ? {} : { previous_secret: client.previousSecret.secret }),
    ...houseMembers(client),
  }
}

/** What the house decides about a client, beside its metadata. */
export function houseMembers(client: ClientSettings): Record<string, unknown> {
  return {
    type: client.type,
    first_party: client.firstParty,
    assignment: client.assignment,
    groups: client.groups,
    require_pkce: client.requirePkce,
    id_token_claims: client.idTokenClaims,
    refresh_tokens: client.refreshTokens,
    claims: client.claims,
    origin: client.origin,
    profile: client.profile,
  }
}
