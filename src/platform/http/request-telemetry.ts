import { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api'
import type { IncomingMessage } from 'node:http'
import type { Context, Middleware } from 'koa'
import { addressList } from '#platform/address-list.ts'
import type { PlatformMetrics } from '#platform/metrics.ts'
import { inSpan } from '#platform/spans.ts'
import { isFromTrustedProxy } from './request-facts.ts'

/** Others are counted together, so that nobody makes a series by inventing one. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])

/**
 * Times each request under the endpoint that took it, and puts a span around it (OpenTelemetry's conventions for HTTP
 * servers). A trace is continued only from a trusted proxy: strangers do not choose what is recorded.
 */
export function requestTelemetry(requests: PlatformMetrics['requests'], trustedProxies: readonly string[]): Middleware {
  const trusted = addressList(trustedProxies)
  const parentOf = (req: IncomingMessage) =>
    propagation.fields().some((name) => name in req.headers) && isFromTrustedProxy(req, trusted)
      ? propagation.extract(ROOT_CONTEXT, req.headers)
      : ROOT_CONTEXT

  return (ctx, next) => {
    const startedAt = performance.now()
    return inSpan('HTTP', { kind: SpanKind.SERVER, parent: parentOf(ctx.req) }, async (span) => {
      try {
        await next()
      } finally {
        const method = METHODS.has(ctx.method) ? ctx.method : '_OTHER'
        const route = routeOf(ctx)
        requests.observe({ method, route, status: ctx.status }, (performance.now() - startedAt) / 1_000)
        if (span.isRecording()) describe(span, ctx, method, route)
      }
    })
  }
}

/** The pattern of the router that took the request; `other` for static files and for what no endpoint took. */
function routeOf(ctx: Context): string {
  const matched: unknown = ctx['_matchedRoute']
  return typeof matched === 'string' ? matched : 'other'
}

function describe(span: Span, { status, protocol }: Context, method: string, route: string): void {
  span.updateName(`HTTP ${method} ${route}`)
  span.setAttributes({
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'url.scheme': protocol,
  })
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
}
