/**
 * Spans of OpenTelemetry. Only its API is here: without an SDK, which an operator may load before the server, nothing is
 * recorded. A span holds names from closed lists, a status and the host of a call out: no query, path as it was written,
 * token, code or person, and of an error only its kind, since a message may quote what was sent.
 */
import {
  context,
  INVALID_TRACEID,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanKind,
} from '@opentelemetry/api'

const tracer = trace.getTracer('latchkey')

interface Around {
  readonly kind: SpanKind
  readonly attributes?: Attributes
  /** What it is part of; else whatever is going on. */
  readonly parent?: Context
}

/** Runs the task in a span, which ends with it; a task that throws marks it as failed. */
export function inSpan<T>(
  name: string,
  { kind, attributes = {}, parent = context.active() }: Around,
  task: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, { kind, attributes }, parent)
  if (isRecordedByNobody(span)) return task(span)
  return context.with(trace.setSpan(parent, span), async () => {
    try {
      return await task(span)
    } catch (error) {
      markFailed(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

/** The same for a task that is done when it returns. */
export function inShortSpan(
  name: string,
  { kind, attributes = {}, parent = context.active() }: Around,
  task: (span: Span) => void,
): void {
  const span = tracer.startSpan(name, { kind, attributes }, parent)
  if (isRecordedByNobody(span)) return task(span)
  context.with(trace.setSpan(parent, span), () => {
    try {
      task(span)
    } finally {
      span.end()
    }
  })
}

interface Past {
  readonly kind: SpanKind
  readonly attributes: Attributes
  readonly milliseconds: number
  readonly error?: unknown
}

/** Adds what has just ended to the span around it, if one is recorded. */
export function addPastSpan(name: string, { kind, attributes, milliseconds, error }: Past): void {
  if (trace.getActiveSpan()?.isRecording() !== true) return
  const endTime = performance.timeOrigin + performance.now()
  const span = tracer.startSpan(name, { kind, attributes, startTime: endTime - milliseconds })
  if (error !== undefined) markFailed(span, error)
  span.end(endTime)
}

/** The names that join a line of the log to its trace. */
export function traceNames(): { trace_id?: string; span_id?: string } {
  const span = trace.getActiveSpan()
  if (span?.isRecording() !== true) return {}
  const { traceId, spanId } = span.spanContext()
  return { trace_id: traceId, span_id: spanId }
}

/** There is no SDK: then neither a context has to follow the task nor the end of the span, which is 5 us a request. */
function isRecordedByNobody(span: Span): boolean {
  return span.spanContext().traceId === INVALID_TRACEID
}

function markFailed(span: Span, error: unknown): void {
  span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown')
  span.setStatus({ code: SpanStatusCode.ERROR })
}
