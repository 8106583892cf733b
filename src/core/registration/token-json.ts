import { stateOf } from './registration-tokens.ts'
import type { RegistrationToken } from './store.ts'

/** A registration token as every door answers with it. @param value only in the answer that made it */
export function registrationTokenJson(token: RegistrationToken, now: number, value?: string) {
  const { types, redirectHosts, scopes, groups } = token.bounds
  return {
    id: token.id,
    ...(value === undefined ? {} : { token: value }),
    name: token.name,
    state: stateOf(token, now),
    uses: token.uses,
    uses_left: token.usesLeft,
    types,
    redirect_hosts: redirectHosts ?? null,
    scope: scopes?.join(' ') ?? null,
    groups,
    expires_at: token.expiresAt,
    revoked_at: token.revokedAt ?? null,
    created_at: token.createdAt,
  }
}
