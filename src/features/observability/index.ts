/**
 * What machines ask about the server: /healthz (the process lives), /readyz (the database answers, its schema is one
 * this code can run on, and the server is not closing) and, for who has METRICS_TOKEN, /metrics. They stay at the root,
 * whatever path the issuer has.
 */
import { Router } from '@koa/router'
import type { Context, Middleware } from 'koa'
import type { Feature } from '#core/feature.ts'
import type { Guesses } from '#core/guesses/guesses.ts'
import { equalSecrets } from '#core/secrets.ts'
import type { Services } from '#core/services.ts'
import { noteRefusal } from '#oidc/audit-notes.ts'
import { recordRefusals } from '#oidc/refusals.ts'
import { factsOf } from '#platform/http/request-facts.ts'

const RETRY_AFTER_SECONDS = '2'

export const observability: Feature = {
  word: 'observability',
  rootRoutes: machineRoutes,
}

function machineRoutes({ readiness, settings: { metricsToken }, metrics, guesses, audit }: Services): Middleware {
  const router = new Router({ sensitive: true, strict: true })

  router.get('/healthz', (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status: 'ok' }
  })

  router.get('/readyz', async (ctx) => {
    const problem = await readiness()
    ctx.status = problem === undefined ? 200 : 503
    ctx.set('Cache-Control', 'no-store')
    if (problem !== undefined) ctx.set('Retry-After', RETRY_AFTER_SECONDS)
    ctx.body = problem === undefined ? { status: 'ok' } : { status: 'unavailable', reason: problem }
  })

  if (metricsToken)
    router.get('/metrics', recordRefusals(audit), async (ctx) => {
      ctx.set('Cache-Control', 'no-store')
      const token = bearerToken(ctx)
      if (!equalSecrets(token, metricsToken.reveal())) return refuse(ctx, token, guesses)
      ctx.body = await metrics.text()
      ctx.set('Content-Type', metrics.registry.contentType)
    })

  return router.routes() as Middleware
}

/** RFC 6750 §2.1; empty, which no token is, where there is none. */
function bearerToken(ctx: Context): string {
  return /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1] ?? ''
}

/** RFC 6750 §3. @throws AppError(too_many_attempts) */
async function refuse(ctx: Context, token: string, guesses: Guesses): Promise<void> {
  const hint = 'Give who scrapes the METRICS_TOKEN that the server was started with.'
  const request = factsOf(ctx.req)
  if (token !== '')
    await guesses.countWrongSecret({ event: 'guessing.token', request, of: '/metrics', secret: token, hint })
  noteRefusal(ctx, { type: 'metrics.refused', rule: 'METRICS_TOKEN is wrong or missing' })
  ctx.status = 401
  ctx.set('WWW-Authenticate', 'Bearer realm="metrics"')
  ctx.body = { error: 'invalid_token', error_description: 'METRICS_TOKEN is wanted here, as a bearer token.' }
}
