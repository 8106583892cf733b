/**
 * The scopes that the server offers, and what each gives, in words for the person who is asked. Claims by scope follow
 * OpenID Connect Core 1.0 §5.4; `groups` is ours.
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

export interface ScopeWords {
  /** What the app would like to do, such as "See your e-mail address". */
  readonly title: string
  /** One sentence on what the app gets or may do. */
  readonly detail: string
}

const WORDS: Readonly<Record<OfferedScope, ScopeWords>> = {
  openid: { title: 'Know that it is you', detail: 'It gets an identifier that stands for your account.' },
  offline_access: {
    title: 'Stay connected while you are away',
    detail: 'It keeps its access even after you sign out here.',
  },
  profile: {
    title: 'See your profile',
    detail: 'Name, user name, picture, website, gender, birthday, language and time zone, as far as they are known.',
  },
  email: { title: 'See your e-mail address', detail: 'The address, and whether it has been verified.' },
  phone: { title: 'See your phone number', detail: 'The number, and whether it has been verified.' },
  address: {
    title: 'See your postal address',
    detail: 'Street, town, postal code and country, as far as they are known.',
  },
  groups: { title: 'See your groups', detail: 'The names of the groups you belong to here.' },
}

export function isOfferedScope(scope: string): scope is OfferedScope {
  return OFFERED_SCOPES.some((offered) => offered === scope)
}

/** What a scope gives, in words for the consent page; a scope of unknown meaning is shown by its name. */
export function scopeWords(scope: string): ScopeWords {
  return isOfferedScope(scope)
    ? WORDS[scope]
    : { title: `Use “${scope}”`, detail: 'A permission that only the people who run the app can explain.' }
}
