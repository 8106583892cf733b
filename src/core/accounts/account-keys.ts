/** Longest text that can name a person: an e-mail address. */
const MAX_LENGTH = 320

/** The user name as it is compared (NFKC, lower case). */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase()
}

/** The e-mail address as it is compared. */
export function emailKey(email: string): string {
  return email.toLowerCase()
}

/**
 * The key that what somebody typed to name a person is looked up by: an e-mail address if it holds an @, else a user
 * name. Undefined for what can name nobody.
 */
export function signInKey(
  typed: string,
): { readonly column: 'email_key' | 'username_key'; readonly key: string } | undefined {
  const name = typed.trim()
  // PostgreSQL takes no NUL in text
  if (name === '' || name.length > MAX_LENGTH || /\p{Cc}/u.test(name)) return undefined
  return name.includes('@')
    ? { column: 'email_key', key: emailKey(name) }
    : { column: 'username_key', key: usernameKey(name) }
}

/** The keys that the person can be named by when signing in. */
export function signInKeysOf({
  email,
  username,
}: {
  email?: string | undefined
  username?: string | undefined
}): readonly string[] {
  return [...(email === undefined ? [] : [emailKey(email)]), ...(username === undefined ? [] : [usernameKey(username)])]
}
