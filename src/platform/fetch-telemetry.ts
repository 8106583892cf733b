import { SpanKind } from '@opentelemetry/api'
import { OutboundError, type GuardedFetch } from './fetch.ts'
import type { OutboundResult, PlatformMetrics } from './metrics.ts'
import { inSpan } from './spans.ts'

/** Times each call until its answer begins, and puts a span around it that names the host, and no path. */
export function timedFetch(fetch: GuardedFetch, outbound: PlatformMetrics['outbound']): GuardedFetch {
  return (input, init) => {
    const startedAt = performance.now()
    const settle = (result: OutboundResult) => outbound.observe({ result }, (performance.now() - startedAt) / 1_000)
    const method = init?.method ?? 'GET'
    const attributes = { 'http.request.method': method, 'server.address': URL.parse(String(input))?.hostname ?? '' }
    return inSpan(method, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      try {
        const response = await fetch(input, init)
        span.setAttribute('http.response.status_code', response.status)
        settle(classOf(response.status))
        return response
      } catch (error) {
        settle(error instanceof OutboundError ? error.reason : 'unreachable')
        throw error
      }
    })
  }
}

function classOf(status: number): OutboundResult {
  if (status < 300) return '2xx'
  if (status < 400) return '3xx'
  return status < 500 ? '4xx' : '5xx'
}
