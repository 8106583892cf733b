import { scopeWords, type ScopeWords } from '#core/clients/scopes.ts'
import type { AskedConsent, AskedResource } from '#core/sign-in-steps.ts'

/** What is asked, in words: a line a scope, a line an API, and one for the claims that were named one by one. */
export function consentWords({ scopes, claims, resources }: AskedConsent): ScopeWords[] {
  const items = [...scopes.map(scopeWords), ...resources.map(apiWords)]
  if (claims.length === 0) return items
  return [
    ...items,
    { title: 'See further details about you', detail: claims.map((claim) => claim.replaceAll('_', ' ')).join(', ') },
  ]
}

/** Only those who run the API can explain its scopes, so they are told as they are called. */
function apiWords({ name, scopes }: AskedResource): ScopeWords {
  return {
    title: `Use “${name}” in your name`,
    detail:
      scopes.length === 0 ? 'It asks for no particular permission there.' : `Permissions there: ${scopes.join(', ')}`,
  }
}
