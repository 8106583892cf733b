import type { Middleware } from 'koa'
import type { Log } from '#platform/log.ts'
import { factsOf } from './request-facts.ts'

/** One line a request. No query and no body: they carry codes and tokens; ids in the path are cut out. */
export function accessLog(log: Log): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now()
    try {
      await next()
    } finally {
      const { id, clientAddress } = factsOf(ctx.req)
      log.info(
        {
          id,
          method: ctx.method,
          path: withoutIds(ctx.req.url ?? ''),
          status: ctx.status,
          ms: Math.round(performance.now() - startedAt),
          client: clientAddress,
        },
        'request',
      )
    }
  }
}

/** A path holds an interaction's id, which is half of a browser's right to it. */
function withoutIds(url: string): string {
  const [path = ''] = url.split('?')
  return path.replace(/\/(interaction|authorize|device)\/[^/]+/, '/$1/:uid').slice(0, 200)
}
