/**
 * Where an error becomes an answer: an AppError by its code, an HTTP error by its status, anything else as a bug that
 * is logged whole and told to nobody. A browser gets a page, a program gets JSON; both get the id under which the log
 * has the reason.
 */
import type { Context, Middleware } from 'koa'
import { AppError, type AppErrorCode } from '#platform/errors.ts'
import type { Log } from '#platform/log.ts'
import { renderPage, view } from './render.ts'
import { factsOf } from './request-facts.ts'

/** A refusal, told to the person (title, message, hint) and to the developer (code, details). */
export interface Refusal {
  readonly status: number
  /** A word of the trade: RFC 6749 §5.2, or one of ours. */
  readonly code: string
  readonly title: string
  readonly message: string
  readonly hint?: string | undefined
  /** For the developer: what was wrong and what to do. Shown folded. */
  readonly details?: string | undefined
  readonly retryHref?: string | undefined
}

interface ErrorModel extends Omit<Refusal, 'status'> {
  readonly errorId: string
}

const errorPage = view<ErrorModel>('error/error')

/** Answers with the refusal, as a page or as JSON. */
export async function showRefusal(ctx: Context, { status, ...refusal }: Refusal): Promise<void> {
  const { id } = factsOf(ctx.req)
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  if (ctx.accepts('json', 'html') === 'html') {
    await renderPage(ctx, errorPage, { title: refusal.title, lang: 'en' }, { ...refusal, errorId: id })
    return
  }
  ctx.body = { error: refusal.code, error_description: refusal.details ?? refusal.message, error_id: id }
}

/** Catches what the middleware below throws, and answers for what it left unanswered. */
export function errorBoundary(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined) await showRefusal(ctx, NOT_FOUND)
      if (ctx.status === 405 && ctx.body === undefined) await showRefusal(ctx, METHOD_NOT_ALLOWED)
    } catch (error) {
      const { id } = factsOf(ctx.req)
      const refusal = refusalOf(error)
      if (refusal.status >= 500) log.error({ id, err: error }, 'a request failed')
      else
        log.info(
          { id, code: refusal.code, reason: error instanceof Error ? error.message : String(error) },
          'a request was refused',
        )
      if (ctx.headerSent) return
      if (error instanceof AppError && error.retryAfterSeconds !== undefined)
        ctx.set('Retry-After', String(error.retryAfterSeconds))
      await showRefusal(ctx, refusal)
    }
  }
}

const STATUS: Readonly<Record<AppErrorCode, number>> = {
  invalid_input: 400,
  not_found: 404,
  conflict: 409,
  forbidden: 403,
  expired: 400,
  too_many_attempts: 429,
  unavailable: 503,
  configuration: 500,
}

const TITLE: Readonly<Partial<Record<AppErrorCode, string>>> = {
  expired: 'Please start again',
  too_many_attempts: 'Please wait a while',
  unavailable: 'Busy for a moment',
}

const NOT_FOUND: Refusal = {
  status: 404,
  code: 'not_found',
  title: 'Nothing here',
  message: 'There is no page at this address.',
  hint: 'If a link brought you here, tell the people who gave it to you.',
}

const METHOD_NOT_ALLOWED: Refusal = {
  status: 405,
  code: 'method_not_allowed',
  title: 'Not this way',
  message: 'This address does not take that kind of request.',
}

const BUG: Refusal = {
  status: 500,
  code: 'server_error',
  title: 'Something went wrong',
  message: 'The server met a problem and could not answer. It is not your fault.',
  hint: 'Try again in a moment. If it stays, give the error id to the people who run this server.',
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof AppError) {
    if (error.code === 'configuration') return BUG
    const busy = error.code === 'unavailable'
    return {
      status: STATUS[error.code],
      code: busy ? 'temporarily_unavailable' : error.code,
      title: TITLE[error.code] ?? 'That did not work',
      message: error.message,
      hint: error.hint,
    }
  }
  const status = exposedStatus(error)
  if (status === undefined) return BUG
  return {
    status,
    code: 'invalid_request',
    title: 'That did not work',
    message: 'The server could not read the request.',
    hint: 'Go back and try again.',
  }
}

/** The status of an HTTP error that was thrown for the client's sake (http-errors' `expose`). */
function exposedStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('expose' in error) || error.expose !== true || !('status' in error))
    return undefined
  return typeof error.status === 'number' && error.status >= 400 && error.status < 500 ? error.status : undefined
}
