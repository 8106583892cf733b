import type { RegistrationBounds } from './bounds.ts'

/** Lets software register itself, so often and until then. */
export interface RegistrationToken {
  readonly id: string
  readonly name: string
  readonly bounds: RegistrationBounds
  readonly usesLeft: number
  readonly uses: number
  readonly expiresAt: number
  readonly revokedAt: number | undefined
  readonly createdAt: number
}

export type TokenState = 'live' | 'used up' | 'expired' | 'revoked'

/** @param now seconds since the epoch */
export function stateOf({ revokedAt, expiresAt, usesLeft }: RegistrationToken, now: number): TokenState {
  if (revokedAt !== undefined) return 'revoked'
  if (expiresAt <= now) return 'expired'
  return usesLeft > 0 ? 'live' : 'used up'
}

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
