/** The words of the audit: what can happen, who can have done it, and how an event is told. */
import type { AuditEventRow } from '#core/tables.ts'
import type { RequestFacts } from '#platform/http/request-facts.ts'

/** Everything that is put on record, by the word of its capability. docs/audit.md says what each means. */
export const AUDIT_TYPES = [
  'sign_in.succeeded',
  'sign_in.refused',
  'consent.granted',
  'consent.denied',
  'authorization.refused',
  'pushed_request.refused',
  'device.refused',
  'backchannel_authentication.refused',
  'approval.refused',
  'token.refused',
  'token_family.started',
  'token_family.revoked',
  'token_family.reuse_detected',
  'userinfo.refused',
  'introspection.refused',
  'revocation.refused',
  'logout.succeeded',
  'logout.refused',
  'registration.refused',
  'metrics.refused',
  'guessing.account',
  'guessing.user_code',
  'guessing.client_secret',
  'guessing.token',
  'guessing.network',
  'guessing.server',
  'guessing.spraying',
  'guessing.stuffing',
  'account.created',
  'account.imported',
  'account.updated',
  'account.password_set',
  'account.disabled',
  'account.enabled',
  'account.signed_out',
  'account.deleted',
  'group.created',
  'group.member_added',
  'group.member_removed',
  'group.deleted',
  'client.created',
  'client.updated',
  'client.secret_rotated',
  'client.disabled',
  'client.enabled',
  'client.deleted',
  'api.created',
  'api.updated',
  'api.deleted',
  'registration_token.created',
  'registration_token.revoked',
  'signing_key.created',
  'signing_key.retired',
  'database.restored',
] as const

export type AuditType = (typeof AUDIT_TYPES)[number]

/** Who guesses is one family, in the log as in the audit. */
export type GuessingEvent = Extract<AuditType, `guessing.${string}`>

/**
 * Who did it: an administrator (of the command line, who is nobody in particular), the person or the client that the
 * event names, the server by itself, or somebody who did not prove who they are.
 */
export type ActorKind = 'administrator' | 'person' | 'client' | 'server' | 'unknown'

export interface Actor {
  readonly kind: ActorKind
  /** The request in which it was done, if there was one. */
  readonly request?: RequestFacts
}

export const ADMINISTRATOR: Actor = { kind: 'administrator' }
export const SERVER: Actor = { kind: 'server' }

/** Details by name; never a secret, and of what strangers sent only what the caller has looked at. */
export type Facts = Readonly<Record<string, Fact | Readonly<Record<string, Fact>> | undefined>>

type Fact = string | number | boolean | readonly string[]

export interface AuditEvent {
  readonly type: AuditType
  readonly by: Actor
  readonly accountId?: string | undefined
  readonly clientId?: string | undefined
  /** Which rule refused. */
  readonly rule?: string | undefined
  readonly facts?: Facts | undefined
}

/** An event as it was read back; `facts` as JSON would have them. */
export type AuditEntry = Omit<AuditEventRow, 'facts'> & {
  readonly facts: Readonly<Record<string, unknown>>
}

/** An event as every door shows it; times in epoch seconds. */
export function auditJson({ account_id, ...entry }: AuditEntry) {
  const { id, at, type, actor, client_id, address, request_id, rule, facts, sequence } = entry
  return { id, at, type, actor, user: account_id, client_id, address, request_id, rule, facts, sequence }
}
