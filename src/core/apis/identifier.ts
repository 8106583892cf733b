const MAX_IDENTIFIER_LENGTH = 500

/**
 * Says in one sentence why a text cannot name an API; undefined when it can. An absolute URI without a fragment
 * (RFC 8707 §2), in the characters of RFC 3986 §2.
 */
export function identifierProblem(identifier: string): string | undefined {
  if (identifier.length > MAX_IDENTIFIER_LENGTH) return `An identifier has at most ${MAX_IDENTIFIER_LENGTH} characters.`
  if (identifier.includes('#')) return 'An identifier has no fragment (#…).'
  if (!/^[a-z][a-z0-9+.-]*:[\w\-.~:/?@!$&'()*+,;=%[\]]+$/i.test(identifier))
    return 'An identifier is an absolute URI, such as https://api.example.com/orders.'
  const url = URL.parse(identifier)
  if (!url) return 'An identifier is a URI that URL libraries can read.'
  if (url.username !== '' || url.password !== '') return 'An identifier contains no user name or password.'
  return undefined
}

/** Strangers send anything as `resource`; what no API can be called need not be looked up. */
export function isApiIdentifier(text: string): boolean {
  return identifierProblem(text) === undefined
}
