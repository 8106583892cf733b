/**
 * Where claims leave the house. The protocol library picks the claims of an ID token or of an answer of userinfo from
 * all that it knows of the person, by a list that is one for all clients. The claims that a client is given by its own
 * settings are added behind that choice, and what was chosen in the end is put on record.
 *
 * The library has one place for this choice, `Claims.prototype.result`, and nothing to configure there; so it is
 * extended. What the place needs to know of the request travels with the claims under a symbol, since the library
 * copies them (spreading keeps symbols). test/flows/custom-claims.test.ts fails if either ceases to be so.
 */
import type { AccountClaims, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Account } from '#core/accounts/account.ts'
import type { ReleasePlace } from '#core/claim-receipts/claim-receipt.ts'
import type { ClaimReceipts } from '#core/claim-receipts/claim-receipts.ts'
import type { ClientSettings } from '#core/clients/client.ts'
import { needsConsent, rulesFor, type ClaimRule } from '#core/custom-claims/claim-rules.ts'
import { claimsByRules, claimsOfScope } from './claims.ts'

const RELEASE = Symbol('claim release')

interface ClaimRelease {
  readonly account: Account
  readonly clientId: string
  readonly place: ReleasePlace
  readonly rules: readonly ClaimRule[]
}

/** The claims, with what has to be known when they are released. */
export function forRelease(claims: AccountClaims, release: ClaimRelease): AccountClaims {
  return Object.assign(claims, { [RELEASE]: release })
}

/** Adds each client's own claims to what the provider gives, and a receipt for each time that it gives claims. */
export function releaseClaims(provider: Provider, receipts: Pick<ClaimReceipts, 'record'>): void {
  const { prototype } = provider.Claims
  const chosenByScope = prototype.result
  prototype.result = async function (this: InstanceType<Provider['Claims']> & { available?: unknown }) {
    const claims = await chosenByScope.call(this)
    const release = releaseIn(this.available)
    if (!release) return claims
    const { account, clientId, place, rules } = release
    Object.assign(claims, claimsByRules(rules, account, claims['sub']))
    receipts.record({ accountId: account.id, clientId, place, claims: Object.keys(claims) })
    return claims
  }
}

function releaseIn(available: unknown): ClaimRelease | undefined {
  if (typeof available !== 'object' || available === null || !(RELEASE in available)) return undefined
  // boundary: only forRelease writes under the symbol
  return available[RELEASE] as ClaimRelease
}

/**
 * The rules that count for one release: their scope is granted, the person allowed the claim where they have to, and it
 * may stand where it is asked for.
 * @param scope the scopes that were granted, separated by spaces
 * @param strict only what was asked for by name
 * @param token what the claims are released for; undefined at the authorization endpoint
 */
export function grantedRules(
  { oidc }: KoaContextWithOIDC,
  settings: ClientSettings,
  { strict, scope, token }: { readonly strict: boolean; readonly scope: string; readonly token: unknown },
): readonly ClaimRule[] {
  if (settings.claims.length === 0) return []
  const allowed = new Set(oidc.entities.Grant?.getOIDCClaims())
  const asked = strict ? askedForIdToken(token ?? oidc) : undefined
  return rulesFor(settings.claims, new Set(scope.split(' '))).filter(
    (rule) =>
      (settings.firstParty || !needsConsent(rule, claimsOfScope) || allowed.has(rule.claim)) &&
      (asked === undefined || Object.hasOwn(asked, rule.claim)),
  )
}

/** The library leaves out of its list what it does not know by name; here is all that was asked for (OpenID Connect Core 1.0 §5.5). */
function askedForIdToken(source: unknown): object {
  const { claims } = source as { claims?: { id_token?: object } }
  return claims?.id_token ?? {}
}
