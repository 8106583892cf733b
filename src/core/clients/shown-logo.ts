import type { Client } from './client.ts'

/**
 * The address of a client's logo for a page. What registered itself has none: nobody has looked at the picture, and it
 * would tell its maker who is about to sign in.
 */
export function shownLogo({ metadata, origin }: Pick<Client, 'metadata' | 'origin'>): string | undefined {
  const { logo_uri: logo } = metadata
  return origin === 'administrator' && typeof logo === 'string' ? logo : undefined
}
