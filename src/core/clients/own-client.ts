/**
 * The server as a client of itself, for its own pages that need to know who is there: they send the browser through
 * the same authorization endpoint, policy and sign-in as every application, and look at the session that comes of it.
 * It is no row: it cannot be listed, changed or disabled, and nobody can redeem a code of it.
 */
import { approvalsPath } from '#core/issuer-paths.ts'
import type { Client } from './client.ts'
import type { Clients } from './clients.ts'
import { wholeMetadata } from './presets.ts'

/** Shorter than the id of any registered client. */
export const OWN_CLIENT_ID = 'latchkey'

/** Where a sign-in for pages of our own comes back to. */
export function ownPage(issuer: string): string {
  return new URL(approvalsPath(issuer), issuer).href
}

/** The clients, with the server itself among those that can be found. */
export function withOwnClient(clients: Clients, issuer: string): Clients {
  const own = ownClient(issuer)
  return {
    ...clients,
    find: async (id) => (id === OWN_CLIENT_ID ? own : clients.find(id)),
    get: async (id) => (id === OWN_CLIENT_ID ? own : clients.get(id)),
  }
}

function ownClient(issuer: string): Client {
  const settings = { type: 'web', refreshTokens: 'never', profile: 'none' } as const
  const registered = {
    redirect_uris: [ownPage(issuer)],
    scope: 'openid',
    // it would prove itself with a key, and has none
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [] },
  }
  return {
    ...settings,
    id: OWN_CLIENT_ID,
    name: 'Latchkey',
    metadata: wholeMetadata({ ...settings, registered }),
    secret: undefined,
    firstParty: true,
    origin: 'administrator',
    assignment: 'everyone',
    groups: [],
    requirePkce: true,
    idTokenClaims: 'strict',
    claims: [],
    disabled: false,
    createdAt: 0,
    updatedAt: 0,
  }
}
