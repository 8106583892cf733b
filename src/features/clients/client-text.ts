/** What a person reads about clients on a terminal. */
import type { Client, ClientOrigin } from '#core/clients/client.ts'
import { claimRuleText } from '#core/custom-claims/claim-text.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { inColumns, named, utc } from '#platform/columns.ts'
import { SNIPPET_METHODS } from './snippet.ts'

const ORIGIN_WORDS: Readonly<Record<Exclude<ClientOrigin, 'administrator'>, string>> = {
  dynamic: 'it registered itself, and nobody has vouched for it',
  metadata_document: 'its client id is the address of its metadata, and nobody has vouched for it',
}

/** The one time that a secret is shown, and what to do with it. */
export function secretDetails(done: string, client: Client, secret: string | undefined, issuer: string): string {
  const lines = named([
    ['client id', client.id],
    ['client secret', secret],
    ['discovery', `${issuer}/.well-known/openid-configuration`],
  ])
  const next =
    secret === undefined
      ? `Next: give the client id and the discovery address to the application${proofOf(client)}.`
      : 'The secret is shown once: it cannot be read again, only rotated.\nNext: give these three to the application.'
  return `${done}\n\n${lines}\n${next}\n${snippetHint(client)}`
}

function proofOf({ metadata }: Client): string {
  if (metadata['token_endpoint_auth_method'] !== 'none') return '; it proves itself with a key of its own'
  // the device flow alone has no code to prove anything about
  return textOf(metadata['redirect_uris']) ? '; it proves itself with PKCE' : ''
}

function snippetHint({ id, metadata }: Client): string {
  const authenticates = SNIPPET_METHODS.includes(textOf(metadata['token_endpoint_auth_method']) ?? '')
  if (!authenticates || !textOf(metadata['redirect_uris'])) return ''
  return `\`latchkey client snippet ${id} --for LIBRARY\` prints its configuration.\n`
}

export function clientDetails(client: Client): string {
  const { metadata } = client
  return named([
    ['client id', client.id],
    ['name', client.name],
    ['type', client.type],
    ['state', client.disabled ? 'disabled' : 'enabled'],
    ['origin', client.origin === 'administrator' ? undefined : ORIGIN_WORDS[client.origin]],
    ['redirect URIs', textOf(metadata['redirect_uris'])],
    ['after logout', textOf(metadata['post_logout_redirect_uris'])],
    ['told of logout at', textOf(metadata['backchannel_logout_uri'])],
    ['scopes', textOf(metadata['scope'])],
    [
      'open to',
      client.assignment === 'everyone' ? 'everyone' : `groups: ${client.groups.join(', ') || 'none yet, so nobody'}`,
    ],
    ['consent', client.firstParty ? 'not asked (first-party)' : 'asked'],
    ['PKCE', client.requirePkce ? 'required' : 'optional'],
    ['ID token claims', client.idTokenClaims],
    ['refresh tokens', client.refreshTokens],
    ['further claims', client.claims.map(claimRuleText).join(' ')],
    ['device flow', textOf(metadata['grant_types'])?.split(' ').includes(DEVICE_GRANT) ? 'yes' : undefined],
    ['CIBA', textOf(metadata['backchannel_token_delivery_mode'])],
    ['profile', client.profile === 'none' ? undefined : client.profile],
    ['authenticates by', textOf(metadata['token_endpoint_auth_method'])],
    ['old secret until', client.previousSecret && utc(client.previousSecret.expiresAt)],
  ])
}

export function clientTable(clients: readonly Client[]): string {
  if (clients.length === 0)
    return 'No clients yet. Register one: latchkey client create --name NAME --redirect-uri URI\n'
  return inColumns(
    clients.map((client) => [client.id, client.type, client.disabled ? 'disabled' : 'enabled', client.name]),
  )
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join(' ') : undefined
}
