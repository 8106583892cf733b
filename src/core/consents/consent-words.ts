import { isOfferedScope } from '#core/clients/scopes.ts'
import { STANDARD_CLAIMS } from '#core/custom-claims/claim-name.ts'
import type { AskedConsent, AskedDetail, AskedResource } from '#core/sign-in-steps.ts'
import type words from '#views/parts/words.json'

/** What is asked of a person, for views/parts/asks.ejs. */
export interface ConsentWords {
  /** In the words of the API's operator. */
  readonly details: readonly AskedDetail[]
  readonly items: readonly Item[]
  /** Standard claims that were named one by one, by their names. */
  readonly claims: readonly string[]
  /** Other claims, called as the administrator called them. */
  readonly ownClaims: readonly string[]
}

/** What the app would like to do, such as "See your e-mail address", and a sentence on what it gets or may do. */
interface Item {
  readonly word: keyof typeof words
  readonly detail: keyof typeof words
  /** What stands in the braces of both. */
  readonly values?: Readonly<Record<string, string>>
}

/** What is asked, as keys of words: a line a scope, a line an API, and the claims that were named one by one. */
export function consentWords({ scopes, claims, resources, details }: AskedConsent): ConsentWords {
  return {
    details,
    items: [...scopes.map(scopeItem), ...resources.map(apiItem)],
    claims: claims.filter(hasWords),
    ownClaims: claims.filter((claim) => !hasWords(claim)).map((claim) => claim.replaceAll('_', ' ')),
  }
}

/** A scope of unknown meaning is shown by its name. */
function scopeItem(scope: string): Item {
  return isOfferedScope(scope)
    ? { word: `scope.${scope}`, detail: `scope.${scope}.detail` }
    : { word: 'other-scope', detail: 'other-scope.detail', values: { scope } }
}

/** Only those who run the API can explain its scopes, so they are told as they are called. */
function apiItem({ name, scopes }: AskedResource): Item {
  const detail = scopes.length === 0 ? 'api.detail' : 'api.scopes'
  return { word: 'api', detail, values: { name, scopes: scopes.join(', ') } }
}

function hasWords(claim: string): boolean {
  return claim === 'groups' || STANDARD_CLAIMS.includes(claim)
}
