import type { Middleware } from 'koa'
import type { Log } from '#platform/log.ts'
import { factsOf, type RequestFacts } from './request-facts.ts'

/** One line a request, see `logAnswer`. */
export function accessLog(log: Log): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now()
    try {
      await next()
    } finally {
      logAnswer(log, factsOf(ctx.req), { method: ctx.method, url: ctx.req.url ?? '', status: ctx.status, startedAt })
    }
  }
}

interface Answered {
  readonly method: string
  readonly url: string
  readonly status: number
  /** As performance.now() has it. */
  readonly startedAt: number
}

/** The line of one request. No query and no body: they carry codes and tokens; ids in the path are cut out. */
export function logAnswer(log: Log, { id, clientAddress }: RequestFacts, answered: Answered): void {
  const { method, url, status, startedAt } = answered
  const ms = Math.round(performance.now() - startedAt)
  log.info({ id, method, path: withoutIds(url), status, ms, client: clientAddress }, 'request')
}

/** A path holds an interaction's id, which is half of a browser's right to it. */
function withoutIds(url: string): string {
  const [path = ''] = url.split('?')
  return path.replace(/\/(interaction|authorize|device)\/[^/]+/, '/$1/:uid').slice(0, 200)
}
