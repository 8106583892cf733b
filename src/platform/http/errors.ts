/**
 * Where an error becomes an answer: an AppError by its code, an HTTP error by its status, anything else as a bug that
 * is logged whole and told to nobody. A browser gets a page, a program gets JSON; both get the id under which the log
 * has the reason.
 */
import type { Context, Middleware } from 'koa'
import { AppError, type AppErrorCode, type RefusalWords } from '#platform/errors.ts'
import type { Log } from '#platform/log.ts'
import type words from '#views/error/words.json'
import { renderPage, view } from './render.ts'
import { factsOf } from './request-facts.ts'

/** A refusal, told to the person in words, and to programs and developers in English. */
export interface Refusal extends RefusalWords {
  readonly status: number
  /** A word of the trade: RFC 6749 §5.2, or one of ours. */
  readonly code: string
  /** What stands in the braces of the hint. */
  readonly values?: { readonly count: number }
  /** For programs: what was wrong. */
  readonly description: string
  /** For the developer: what was wrong and what to do. Shown folded. */
  readonly details?: string | undefined
  /** Where the person signs out without the app that asked for it wrongly. */
  readonly signOutHref?: string | undefined
}

interface ErrorModel extends Omit<Refusal, 'status' | 'title' | 'description'> {
  readonly errorId: string
}

const errorPage = view<ErrorModel, typeof words>('error/error')

/** Answers with the refusal, as a page or as JSON. */
export async function showRefusal(ctx: Context, { status, title, description, ...refusal }: Refusal): Promise<void> {
  const { id } = factsOf(ctx.req)
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  if (ctx.accepts('json', 'html') === 'html') {
    await renderPage(ctx, errorPage, title, { ...refusal, errorId: id })
    return
  }
  ctx.body = { error: refusal.code, error_description: description, error_id: id }
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
      if (refusal.status >= 500 && !isFull(error)) log.error({ id, err: error }, 'a request failed')
      else logRefusal(log, id, refusal, error)
      if (ctx.headerSent) return
      ctx.remove('Location')
      // the same request may come again, so the browser is told nothing of what could not be stored
      if (refusal.status === 503) ctx.remove('Set-Cookie')
      if (error instanceof AppError && error.retryAfterSeconds !== undefined)
        ctx.set('Retry-After', String(error.retryAfterSeconds))
      await showRefusal(ctx, refusal)
    }
  }
}

/** Whoever guesses is worth more attention than whoever is mistaken. */
function logRefusal(log: Log, id: string, { code }: Refusal, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  const rule = error instanceof AppError ? error.rule : undefined
  if (rule === undefined) log.info({ id, code, reason }, 'a request was refused')
  else log.warn({ id, code, event: rule, reason }, 'a request was refused')
}

/**
 * The server has as much to do as it takes on at once, which is no fault of anything: a stack in the log for each who
 * is turned away would make a flood dearer than what it is turned away from.
 */
function isFull(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable' && error.cause === undefined
}

const NO_PAGE: RefusalWords = { title: 'title.nothing-here', message: 'no-page', hint: 'hint.link' }
const WRONG: RefusalWords = { title: 'title.wrong', message: 'bug', hint: 'hint.bug' }
const UNREADABLE: RefusalWords = { title: 'title.failed', message: 'unreadable', hint: 'hint.back' }

/**
 * What a person is told of an error of the house that says nothing else of itself; its own message is for programs, the
 * log and the command line.
 */
const REFUSALS: Readonly<Record<AppErrorCode, RefusalWords & Pick<Refusal, 'status'>>> = {
  invalid_input: { status: 400, ...UNREADABLE },
  not_found: { status: 404, ...NO_PAGE },
  conflict: { status: 409, title: 'title.failed', message: 'changed', hint: 'hint.back' },
  forbidden: { status: 403, title: 'title.failed', message: 'stale-form', hint: 'hint.reload' },
  expired: { status: 400, title: 'title.start-again', message: 'sign-in-gone', hint: 'hint.from-the-app' },
  too_many_attempts: { status: 429, title: 'title.wait', message: 'too-many', hint: 'hint.wait' },
  unavailable: { status: 503, title: 'title.busy', message: 'busy', hint: 'hint.moment' },
  configuration: { status: 500, ...WRONG },
}

const NOT_FOUND: Refusal = {
  ...NO_PAGE,
  status: 404,
  code: 'not_found',
  description: 'There is no page at this address.',
}

const METHOD_NOT_ALLOWED: Refusal = {
  status: 405,
  code: 'method_not_allowed',
  title: 'title.not-this-way',
  message: 'wrong-method',
  hint: 'hint.back',
  description: 'This address does not take that kind of request.',
}

const BUG: Refusal = {
  ...WRONG,
  status: 500,
  code: 'server_error',
  description: 'The server met a problem and could not answer. It is not your fault.',
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof AppError) {
    if (error.code === 'configuration') return BUG
    const busy = error.code === 'unavailable'
    return {
      ...REFUSALS[error.code],
      ...error.told,
      code: busy ? 'temporarily_unavailable' : error.code,
      values: { count: Math.ceil((error.retryAfterSeconds ?? 60) / 60) },
      description: error.message,
    }
  }
  const exposed = exposedIn(error)
  if (exposed === undefined) return BUG
  const { status, message } = exposed
  return { ...UNREADABLE, status, code: 'invalid_request', description: message, details: message }
}

/** An HTTP error that was thrown for the client's sake (http-errors' `expose`), whose words are for the client. */
function exposedIn(error: unknown): { status: number; message: string } | undefined {
  if (!(error instanceof Error) || !('expose' in error) || error.expose !== true || !('status' in error))
    return undefined
  const { status, message } = error
  return typeof status === 'number' && status >= 400 && status < 500 ? { status, message } : undefined
}
