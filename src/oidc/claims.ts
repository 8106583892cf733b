/**
 * Which claims a scope gives, and where each comes from. To add a claim: one row in `SOURCES`, its
 * name in `SCOPE_CLAIMS`.
 * Claims that one client is given by its own settings are found here, too; claim-release.ts brings them past the library.
 */
import type { Account } from '#core/accounts/account.ts'
import { displayName } from '#core/accounts/account.ts'
import { STANDARD_SCOPE_CLAIMS } from '#core/clients/scopes.ts'
import { CUSTOM, ownName, type ClaimRule } from '#core/custom-claims/claim-rules.ts'

/** OpenID Connect Core 1.0 §5.4, plus `groups`; auth_time, amr and acr stand in every ID token. */
export const SCOPE_CLAIMS: Readonly<Record<string, readonly string[]>> = {
  openid: ['sub', 'auth_time', 'amr', 'acr'],
  ...STANDARD_SCOPE_CLAIMS,
  groups: ['groups'],
}

/** The claims that a scope gives; none for a scope that is not ours. */
export function claimsOfScope(scope: string): readonly string[] {
  return SCOPE_CLAIMS[scope] ?? []
}

type Source = (account: Account) => unknown

/** Claims with a column of their own; every other one is looked up by its name among the account's claims. */
const SOURCES: Readonly<Record<string, Source>> = {
  sub: ({ id }) => id,
  name: displayName,
  given_name: ({ givenName }) => givenName,
  family_name: ({ familyName }) => familyName,
  preferred_username: ({ username }) => username,
  updated_at: ({ updatedAt }) => updatedAt,
  email: ({ email }) => email,
  email_verified: ({ email, emailVerified }) => (email === undefined ? undefined : emailVerified),
  groups: ({ groups }) => groups,
}

/** All that is known of the person, under claim names; what is not set is not there. The library picks by scope and consent. */
export function claimsOf(account: Account): { sub: string; [claim: string]: unknown } {
  const claims: Record<string, unknown> = { ...account.claims }
  for (const [claim, source] of Object.entries(SOURCES)) {
    const value = source(account)
    if (value !== undefined) claims[claim] = value
  }
  return { ...claims, sub: account.id }
}

/** What the rules of a client make of a person; what is not known of the person is not there. @param sub as this client knows the person */
export function claimsByRules(rules: readonly ClaimRule[], account: Account, sub: unknown): Record<string, unknown> {
  const known: Readonly<Record<string, unknown>> = { ...claimsOf(account), username: account.username, sub }
  const valueOf = ({ source, value }: ClaimRule): unknown => {
    if (source === undefined) return value
    return source.startsWith(CUSTOM) ? own(account.customClaims, ownName(source)) : own(known, source)
  }
  const given = rules.map((rule) => [rule.claim, valueOf(rule)] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}

/** What is under the name; never what every object has. */
function own(members: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined
}
