/** What a person reads about registration tokens on a terminal. */
import { stateOf, type RegistrationToken } from '#core/registration/registration-token.ts'
import { inColumns, named, utc } from '#platform/columns.ts'

/** The one time that a token is shown, and what to do with it. */
export function createdText(token: RegistrationToken, value: string, issuer: string): string {
  return `Software may register itself with this token, shown once:

  ${value}

${tokenDetails(token, token.createdAt)}
Next: have the client metadata sent to ${issuer}/register with "Authorization: Bearer TOKEN".
`
}

export function tokenDetails(token: RegistrationToken, now: number): string {
  const { types, redirectHosts, scopes, groups } = token.bounds
  return named([
    ['id', token.id],
    ['name', token.name],
    ['state', stateOf(token, now)],
    ['registered', `${token.uses}, and ${token.usesLeft} more at most`],
    ['expires', utc(token.expiresAt)],
    ['types', types.join(' ')],
    ['redirect hosts', redirectHosts?.join(' ') ?? 'any'],
    ['scopes', scopes?.join(' ') ?? 'all that the server offers'],
    ['open to', groups.length === 0 ? 'everyone' : `groups: ${groups.join(', ')}`],
  ])
}

export function tokenTable(tokens: readonly RegistrationToken[], now: number): string {
  if (tokens.length === 0) return 'No registration tokens yet. Make one: latchkey registration-token create\n'
  return inColumns(tokens.map((token) => [token.id, stateOf(token, now), token.name]))
}
