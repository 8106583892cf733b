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
import type { Log } from '#platform/log.ts'
import type { PlatformMetrics } from '#platform/metrics.ts'
import { inShortSpan, inSpan } from '#platform/spans.ts'
import { logAnswer } from './access-log.ts'
import { factsOf, isFromTrustedProxy, type RequestFacts } from './request-facts.ts'

/** Others are counted together, so that nobody makes a series by inventing one. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])

export interface TelemetryNeeds {
  readonly log: Log
  readonly requests: PlatformMetrics['requests']
  readonly trustedProxies: readonly string[]
  /** The issuer's: `https` or `http`. */
  readonly protocol: string
}

/**
 * Times each request under the endpoint that took it, writes its line of the log, and puts a span around it
 * (OpenTelemetry's conventions for HTTP servers). A trace is continued only from a trusted proxy: strangers do not
 * choose what is recorded.
 */
export function requestTelemetry(needs: TelemetryNeeds): Middleware {
  const parentOf = parentReader(needs.trustedProxies)
  return (ctx, next) => {
    const startedAt = performance.now()
    return inSpan('HTTP', { kind: SpanKind.SERVER, parent: parentOf(ctx.req) }, async (span) => {
      try {
        await next()
      } finally {
        const { method, req, status } = ctx
        tell(needs, span, { method, url: req.url ?? '', route: routeOf(ctx), status, facts: factsOf(req), startedAt })
      }
    })
  }
}

/** The same around an answer that is sent without the table of middleware. */
export function answerTelemetry(
  needs: TelemetryNeeds,
): (req: IncomingMessage, answered: Omit<Answered, 'startedAt'>, send: () => void) => void {
  const parentOf = parentReader(needs.trustedProxies)
  return (req, answered, send) => {
    const startedAt = performance.now()
    inShortSpan('HTTP', { kind: SpanKind.SERVER, parent: parentOf(req) }, (span) => {
      send()
      tell(needs, span, { ...answered, startedAt })
    })
  }
}

interface Answered {
  readonly facts: RequestFacts
  readonly method: string
  readonly url: string
  readonly route: string
  readonly status: number
  /** As performance.now() has it. */
  readonly startedAt: number
}

function tell({ log, requests, protocol }: TelemetryNeeds, span: Span, answered: Answered): void {
  const { method, route, status, facts, startedAt } = answered
  const milliseconds = performance.now() - startedAt
  requests.observe({ method: knownMethod(method), route, status }, milliseconds / 1_000)
  describe(span, answered, protocol)
  logAnswer(log, facts, answered, milliseconds)
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

function knownMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER'
}

function describe(span: Span, { method, route, status }: Answered, protocol: string): void {
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
