/**
 * The scopes that the server offers, and what each gives, in words for the person who is asked. Claims by scope follow
 * OpenID Connect Core 1.0 §5.4; `groups` is ours.
 */
export const OFFERED_SCOPES = ['openid', 'offline_access', 'profile', 'email', 'phone', 'address', 'groups'] as const
export type OfferedScope = (typeof OFFERED_SCOPES)[number]

export interface ScopeWords {
  /** A few words, such as "Your e-mail address". */
  readonly title: string
  /** One sentence on what the application gets or may do. */
  readonly detail: string
}

const WORDS: Readonly<Record<OfferedScope, ScopeWords>> = {
  openid: { title: 'Know that it is you', detail: 'A lasting identifier that tells the application who signed in.' },
  offline_access: {
    title: 'Stay connected',
    detail: 'The application keeps its access while you are away, until you or it ends it.',
  },
  profile: {
    title: 'Your profile',
    detail: 'Your name and what else your profile says: user name, picture, language, time zone, birthday.',
  },
  email: { title: 'Your e-mail address', detail: 'The address, and whether it has been verified.' },
  phone: { title: 'Your phone number', detail: 'The number, and whether it has been verified.' },
  address: { title: 'Your postal address', detail: 'Street, town, postal code and country, as far as they are known.' },
  groups: { title: 'Your groups', detail: 'The names of the groups you belong to here.' },
}

export function isOfferedScope(scope: string): scope is OfferedScope {
  return OFFERED_SCOPES.some((offered) => offered === scope)
}

/** What a scope gives, in words for the consent page; a scope of unknown meaning is shown by its name. */
export function scopeWords(scope: string): ScopeWords {
  return isOfferedScope(scope)
    ? WORDS[scope]
    : { title: scope, detail: 'A permission that the application defined itself.' }
}
