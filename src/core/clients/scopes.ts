/**
 * The scopes that the server offers, and what each gives. Claims by scope follow OpenID Connect Core 1.0 §5.4; `groups`
 * is ours. What each means stands in views/parts/words.json, for the person who is asked.
 */
export const OFFERED_SCOPES = ['openid', 'offline_access', 'profile', 'email', 'phone', 'address', 'groups'] as const
export type OfferedScope = (typeof OFFERED_SCOPES)[number]

/** The standard claims that a scope gives (OpenID Connect Core 1.0 §5.4). */
export const STANDARD_SCOPE_CLAIMS: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
}

export function isOfferedScope(scope: string): scope is OfferedScope {
  return OFFERED_SCOPES.some((offered) => offered === scope)
}
