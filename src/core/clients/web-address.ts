export const MAX_URI_LENGTH = 2_000
export const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Says in one sentence why the address may not be one that people or browsers are sent to; undefined when it may. */
export function webAddressProblem(uri: string): string | undefined {
  if (uri.length > MAX_URI_LENGTH) return `is longer than ${MAX_URI_LENGTH} characters`
  if (!/^https:\/\/[^/\\]/.test(uri)) return 'has to start with https://'
  if (!/^[\x21-\x7e]+$/.test(uri) || /[\\"<>]/.test(uri))
    return 'contains a character that has to be percent-encoded in a URI'
  const parsed = URL.parse(uri)
  if (!parsed) return 'is not a URI that a browser can read'
  return parsed.username !== '' || parsed.password !== '' ? 'contains a user name or password' : undefined
}

/**
 * The same for an address that the server calls: http may be spoken to this machine, and there is no fragment (OpenID
 * Connect Back-Channel Logout 1.0 §2.2).
 */
export function calledAddressProblem(uri: string): string | undefined {
  if (uri.includes('#')) return 'contains a fragment (#)'
  const isLoopback = URL.parse(uri)?.protocol === 'http:' && LOOPBACK_HOSTS.has(URL.parse(uri)?.hostname ?? '')
  return webAddressProblem(isLoopback ? uri.replace(/^http:/i, 'https:') : uri)
}

/** For messages: quoted and cut, with control characters made visible, since it goes to a terminal. */
export function shownUri(uri: string): string {
  const visible = uri.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
  return `"${visible.length > 120 ? `${visible.slice(0, 120)}…` : visible}"`
}
