/**
 * Each refused request leaves one row in the audit, under the id that its page, its JSON or its redirect tells:
 * `latchkey explain` takes it. In a redirect the id stands at the tail of error_description, since no other parameter
 * is the specification's (RFC 6749 §4.1.2.1); form_post and JARM carry none.
 */
import type { Context, Middleware } from 'koa'
import type { Audit } from '#core/audit/audit.ts'
import type { AuditType } from '#core/audit/event.ts'
import { AppError } from '#platform/errors.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { isJsonObject } from '#platform/json-object.ts'
import { noteErrorOfOurs, noteRefusal, refusalToRecord } from './audit-notes.ts'

/** By the first segment of the path. */
const REFUSED: Readonly<Record<string, AuditType>> = {
  interaction: 'sign_in.refused',
  authorize: 'authorization.refused',
  par: 'pushed_request.refused',
  device_authorization: 'device.refused',
  device: 'device.refused',
  backchannel_authentication: 'backchannel_authentication.refused',
  approvals: 'approval.refused',
  token: 'token.refused',
  userinfo: 'userinfo.refused',
  introspect: 'introspection.refused',
  revoke: 'revocation.refused',
  logout: 'logout.refused',
  register: 'registration.refused',
}

/** What a client hears while a person has not answered yet: it asks again, and nothing is refused. */
const NOT_YET = new Set<unknown>(['authorization_pending', 'slow_down'])

/** Puts refusals on record, and their id into what the client gets. */
export function recordRefusals({ refused }: Pick<Audit, 'refused'>): Middleware {
  const record = (ctx: Context): void => {
    const note = refusalToRecord(ctx)
    if (note === 'recorded') return
    const { type = REFUSED[ctx.path.split('/', 2)[1] ?? ''], by = 'unknown', ...rest } = note ?? {}
    if (type === undefined) return
    const { rule = `status ${ctx.status}` } = rest
    refused({ ...rest, type, rule, by: { kind: by, request: factsOf(ctx.req) } })
  }

  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      if (noteError(ctx, error)) record(ctx)
      throw error
    }
    const isRefused = refusalToRecord(ctx) !== undefined || (ctx.status >= 400 && ctx.status < 500)
    if (!isRefused || isNotYet(ctx.body)) return
    record(ctx)
    tellId(ctx)
  }
}

/** Errors that somebody caused; what is the server's own fault is in the log. */
function noteError(ctx: Context, error: unknown): boolean {
  if (error instanceof AppError) {
    if (error.code === 'configuration' || error.code === 'unavailable') return false
    noteErrorOfOurs(ctx, error)
    return true
  }
  const isExposed = error instanceof Error && 'expose' in error && error.expose === true
  if (isExposed) noteRefusal(ctx, { rule: problemIn(error), facts: { error: 'invalid_request', event: 'unread' } })
  return isExposed
}

/** What the gate says of a request; a parser's own words may quote what was sent. */
function problemIn(error: Error): string {
  return 'problem' in error && typeof error.problem === 'string' ? error.problem : 'the request could not be read'
}

function tellId(ctx: Context): void {
  const { id } = factsOf(ctx.req)
  if (isErrorJson(ctx.body)) ctx.body = { ...ctx.body, error_id: id }
  const { location } = ctx.response.headers
  if (typeof location === 'string') ctx.set('Location', withId(location, id))
}

/** The last error, with its description where it has one, is what was added to the client's own address. */
function withId(location: string, id: string): string {
  return location.replace(
    /^(.*[?&#]error=[^&#]*)(&error_description=[^&#]*)?/s,
    (_, error: string, description?: string) =>
      `${error}${description === undefined ? '&error_description=' : `${description}+`}%28error+id%3A+${id}%29`,
  )
}

function isNotYet(body: unknown): boolean {
  return isErrorJson(body) && NOT_YET.has(body['error'])
}

function isErrorJson(body: unknown): body is Record<string, unknown> {
  return isJsonObject(body) && typeof body['error'] === 'string'
}
