import {
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Context as ParentContext,
  type Span,
} from '@opentelemetry/api'
import type { IncomingMessage } from 'node:http'
import type { Context, Middleware } from 'koa'
import { addressList } from '#platform/address-list.ts'
import type { PlatformMetrics } from '#platform/metrics.ts'
import { inShortSpan, inSpan } from '#platform/spans.ts'
import { isFromTrustedProxy } from './request-facts.ts'

/** Others are counted together, so that nobody makes a series by inventing one. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])

type Requests = PlatformMetrics['requests']

/**
 * Times each request under the endpoint that took it, and puts a span around it (OpenTelemetry's conventions for HTTP
 * servers). A trace is continued only from a trusted proxy: strangers do not choose what is recorded.
 */
export function requestTelemetry(requests: Requests, trustedProxies: readonly string[]): Middleware {
  const parentOf = parentReader(trustedProxies)
  return (ctx, next) => {
    const startedAt = performance.now()
    return inSpan('HTTP', { kind: SpanKind.SERVER, parent: parentOf(ctx.req) }, async (span) => {
      try {
        await next()
      } finally {
        const answered = { method: ctx.method, route: routeOf(ctx), status: ctx.status, protocol: ctx.protocol }
        observe(requests, answered, startedAt)
        describe(span, answered)
      }
    })
  }
}

/** The same around an answer that is sent without the table of middleware. */
export function answerTelemetry(
  requests: Requests,
  trustedProxies: readonly string[],
): (req: IncomingMessage, answered: Answered, send: () => void) => void {
  const parentOf = parentReader(trustedProxies)
  return (req, answered, send) => {
    const startedAt = performance.now()
    inShortSpan('HTTP', { kind: SpanKind.SERVER, parent: parentOf(req) }, (span) => {
      send()
      observe(requests, answered, startedAt)
      describe(span, answered)
    })
  }
}

interface Answered {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly protocol: string
}

function parentReader(trustedProxies: readonly string[]): (req: IncomingMessage) => ParentContext {
  const trusted = addressList(trustedProxies)
  return (req) =>
    propagation.fields().some((name) => name in req.headers) && isFromTrustedProxy(req, trusted)
      ? propagation.extract(ROOT_CONTEXT, req.headers)
      : ROOT_CONTEXT
}

/** The pattern of the router that took the request; `other` for static files and for what no endpoint took. */
export function routeOf(ctx: Context): string {
  const matched: unknown = ctx['_matchedRoute']
  return typeof matched === 'string' ? matched : 'other'
}

function observe(requests: Requests, { method, route, status }: Answered, startedAt: number): void {
  requests.observe({ method: knownMethod(method), route, status }, (performance.now() - startedAt) / 1_000)
}

function knownMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER'
}

function describe(span: Span, { method, route, status, protocol }: Answered): void {
  if (!span.isRecording()) return
  span.updateName(`HTTP ${knownMethod(method)} ${route}`)
  span.setAttributes({
    'http.request.method': knownMethod(method),
    'http.route': route,
    'http.response.status_code': status,
    'url.scheme': protocol,
  })
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
}
