import { errors, type Client, type KoaContextWithOIDC } from 'oidc-provider'

/** The member of a client's metadata, as the library carries it. */
export const REQUIRE_NONCE = 'require_nonce'

/**
 * Refuses a sign-in without `nonce` of a client that demands one, pushed or not. OpenID Connect Core 1.0 §3.1.2.1 leaves
 * it to the client, §3.2.2.1 demands it where tokens come from the authorization endpoint, which the library sees to.
 * @throws InvalidRequest
 */
export function requireNonce({ oidc }: KoaContextWithOIDC, nonce: unknown, client: Client): void {
  const signsIn = oidc.params?.['response_type'] !== undefined && oidc.requestParamScopes.has('openid')
  if (client[REQUIRE_NONCE] === true && signsIn && nonce === undefined)
    throw new errors.InvalidRequest('this client is registered to send a nonce with every sign-in')
}
