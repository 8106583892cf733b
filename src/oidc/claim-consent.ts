/** Asking the person for claims that a client is given by its own settings, as for those that a request names. */
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import type { ClientSettings } from '#core/clients/client.ts'
import { needsConsent, rulesFor } from '#core/custom-claims/claim-rules.ts'
import { claimsOfScope } from './claims.ts'
import { clientSettings } from './clients.ts'

/** The claims that the person has to allow by their names before this request can be answered, allowed already or not. */
export function claimsToAllow({ oidc }: KoaContextWithOIDC): readonly string[] {
  return oidc.client ? ownClaimsToAllow(clientSettings(oidc.client), oidc.requestParamOIDCScopes) : []
}

/** The same of a client and the scopes that it asks for. */
export function ownClaimsToAllow({ claims }: Pick<ClientSettings, 'claims'>, scopes: ReadonlySet<string>): string[] {
  return rulesFor(claims, scopes)
    .filter((rule) => needsConsent(rule, claimsOfScope))
    .map(({ claim }) => claim)
}

/** Adds the check to the prompt for consent; its page is told of what is missing, and of all that there is. */
export function askForOwnClaims(consent: interactionPolicy.Prompt | undefined): void {
  if (!consent) return
  const missing = (ctx: KoaContextWithOIDC) => {
    const granted = new Set(ctx.oidc.entities.Grant?.getOIDCClaimsEncountered())
    return claimsToAllow(ctx).filter((claim) => !granted.has(claim))
  }
  consent.details = (ctx) => ({ ownClaims: claimsToAllow(ctx) })
  consent.checks.add(
    new interactionPolicy.Check(
      'own_claims_missing',
      "claims of the client's settings not granted",
      'consent_required',
      (ctx) => missing(ctx).length > 0,
      (ctx) => ({ missingOwnClaims: missing(ctx) }),
    ),
  )
}
