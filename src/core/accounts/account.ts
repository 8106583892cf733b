/** A person as the rest of the house sees them. */
export interface Account {
  /** The `sub` of every token: random, never reused. */
  readonly id: string
  readonly username: string | undefined
  readonly email: string | undefined
  readonly emailVerified: boolean
  /** As set; see `displayName` for what is shown. */
  readonly name: string | undefined
  readonly givenName: string | undefined
  readonly familyName: string | undefined
  /** The other standard claims that are set, under their names of OpenID Connect Core 1.0 §5.1. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Under names of one's own; a client gets those that its settings name. */
  readonly customClaims: Readonly<Record<string, unknown>>
  /** Names of groups, sorted. */
  readonly groups: readonly string[]
  readonly admin: boolean
  readonly disabled: boolean
  readonly createdAt: number
  readonly updatedAt: number
}

/** The `name` claim: the display name, or given and family name put together; undefined where all are missing. */
export function displayName({
  name,
  givenName,
  familyName,
}: Pick<Account, 'name' | 'givenName' | 'familyName'>): string | undefined {
  const shown =
    name?.trim() ||
    [givenName, familyName]
      .map((part) => part?.trim() ?? '')
      .join(' ')
      .trim()
  return shown === '' ? undefined : shown
}

/** How a page names the person: the name, and what tells two people of one name apart; the bare id where nothing is set. */
export function personLabel(account: Account): string {
  const name = displayName(account)
  const unique = account.email ?? account.username ?? account.id
  return name === undefined ? unique : `${name} (${unique})`
}

/** A person as every door shows them: claims in the spelling of OpenID Connect Core 1.0 §5.1, times in epoch seconds. */
export function accountJson(account: Account) {
  return {
    id: account.id,
    username: account.username ?? null,
    email: account.email ?? null,
    email_verified: account.emailVerified,
    name: displayName(account) ?? null,
    given_name: account.givenName ?? null,
    family_name: account.familyName ?? null,
    ...account.claims,
    ...(Object.keys(account.customClaims).length > 0 && { custom_claims: account.customClaims }),
    groups: account.groups,
    admin: account.admin,
    disabled: account.disabled,
    created_at: account.createdAt,
    updated_at: account.updatedAt,
  }
}
