import type { ClientDraft } from '#core/clients/client.ts'
import { textsIn } from '#core/clients/texts-in.ts'

/**
 * The sector of a client (OpenID Connect Core 1.0 §8.1): the host of its `sector_identifier_uri`, and without one the one
 * host of the addresses that it returns to; undefined where there is none, or more than one.
 */
export function sectorOf(redirectUris: readonly string[], sectorIdentifierUri?: string): string | undefined {
  if (sectorIdentifierUri !== undefined) return URL.parse(sectorIdentifierUri)?.host
  const [host, ...others] = new Set(redirectUris.map((uri) => URL.parse(uri)?.host ?? ''))
  return host === undefined || host === '' || others.length > 0 ? undefined : host
}

/** Why the client cannot have subjects of its own; undefined where it can, or does not want them. */
export function subjectTypeProblem({ type, registered }: Pick<ClientDraft, 'type' | 'registered'>): string | undefined {
  if (registered['subject_type'] !== 'pairwise') return undefined
  // the addresses of native apps are no hosts, or one that every app on the machine shares
  if (type !== 'web' && type !== 'spa') return `A ${type} client has no host of its own to tell its subjects by.`
  if (registered['sector_identifier_uri'] !== undefined) return undefined
  return sectorOf(textsIn(registered['redirect_uris'])) === undefined
    ? 'Pairwise subjects hang on the host of the redirect URIs: all of them need the same one, or a sector_identifier_uri.'
    : undefined
}
