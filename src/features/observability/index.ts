/**
 * What machines ask about the server: /healthz (the process lives) and /readyz (the database answers, its schema is
 * one this code can run on, and the server is not closing). They stay at the root, whatever path the issuer has.
 */
import type { Middleware } from 'koa'
import type { Feature } from '#core/feature.ts'
import type { Services } from '#core/services.ts'

export const observability: Feature = {
  word: 'observability',
  rootRoutes: healthRoutes,
}

function healthRoutes({ readiness }: Services): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/healthz') {
      ctx.set('Cache-Control', 'no-store')
      ctx.body = { status: 'ok' }
      return
    }
    if (ctx.path === '/readyz') {
      const problem = await readiness()
      ctx.status = problem === undefined ? 200 : 503
      ctx.set('Cache-Control', 'no-store')
      ctx.body = problem === undefined ? { status: 'ok' } : { status: 'unavailable', reason: problem }
      return
    }
    await next()
  }
}
