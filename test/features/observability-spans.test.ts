// Spans, as an SDK that an operator loads gets to see them: what is part of what, and that they hold nothing of anybody.
import { context, propagation, trace, type TextMapPropagator } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace'
import { pino } from 'pino'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { traceNames } from '#platform/spans.ts'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { logoutReceiver, type LogoutReceiver } from '../support/logout-receiver.ts'
import { send, tokensFor, userinfo } from '../support/protocol.ts'

const exporter = new InMemorySpanExporter()
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'

/** Reads `traceparent`, which is all that the propagator of the W3C would do here. */
const propagator: TextMapPropagator = {
  inject() {},
  fields: () => ['traceparent'],
  extract(into, carrier, { get }) {
    const [, traceId, spanId] = String(get(carrier, 'traceparent')).split('-')
    return traceId && spanId ? trace.setSpanContext(into, { traceId, spanId, traceFlags: 1, isRemote: true }) : into
  },
}

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(propagator)
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
})
afterAll(() => {
  trace.disable()
  propagation.disable()
  context.disable()
})
beforeEach(() => exporter.reset())

describe.each(databases)('spans on $name', (database) => {
  let app: TestApp
  let receiver: LogoutReceiver
  let client: RegisteredClient
  const lines: string[] = []

  beforeAll(async () => {
    const stream = new Writable({ write: (chunk: Buffer, _, done) => (lines.push(chunk.toString()), done()) })
    receiver = await logoutReceiver()
    app = await startApp(database, {
      settings: { OUTBOUND_ALLOW: '127.0.0.1' },
      log: pino({ mixin: traceNames }, stream),
    })
    await createPerson(app.services)
    client = await createClient(app.services, { backchannel_logout_uri: receiver.endpoint('out') })
  })
  afterAll(async () => {
    await app.close()
    await receiver.close()
  })

  test('nest queries, hashes and calls out in the request that they belong to, and give nothing away', async () => {
    const browser = browserSession(app.issuer)
    const { accessToken } = await tokensFor(app, client, { state: 'a-state-of-its-own' }, browser)
    await userinfo(app, accessToken)
    await browser.submit(await browser.open(`${app.issuer}/logout`), { logout: 'yes' })
    const spans = exporter.getFinishedSpans()
    const under = (name: string): readonly string[] =>
      childrenOf(spans, spanNamed(spans, name)).map((span) => span.name)

    expect(under('HTTP POST /interaction/:uid/:step')).toEqual(
      expect.arrayContaining(['password hash', 'select', 'update']),
    )
    expect(under('HTTP POST /token')).toEqual(expect.arrayContaining(['select']))
    expect(spanNamed(spans, 'HTTP GET /userinfo').attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/userinfo',
      'http.response.status_code': 200,
      'url.scheme': 'http',
    })
    const [call] = childrenOf(spans, spanNamed(spans, 'HTTP POST /logout/confirm')).filter(
      ({ name }) => name === 'POST',
    )
    expect(call?.attributes).toEqual({
      'http.request.method': 'POST',
      'server.address': '127.0.0.1',
      'http.response.status_code': 204,
    })
    const [query] = spans.filter(({ name }) => name === 'select')
    expect(query?.attributes).toEqual({
      'db.system.name': database.name === 'postgres' ? 'postgresql' : 'sqlite',
      'db.operation.name': 'select',
    })

    const told = JSON.stringify(
      spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    )
    for (const secret of [
      PASSWORD,
      'ada',
      'a-state-of-its-own',
      client.client.id,
      client.secret ?? '',
      accessToken,
      '?',
    ])
      expect(told).not.toContain(secret)
  })

  test('mark what failed, by the kind of its error alone', async () => {
    await send(`${app.issuer}/token`, { method: 'POST', body: 'x', headers: { 'content-type': 'application/json' } })
    const refused = spanNamed(exporter.getFinishedSpans(), 'HTTP POST /token')
    expect([refused.attributes['http.response.status_code'], refused.status.code]).toEqual([400, 0])
    exporter.reset()
    const { find } = app.services.clients
    Object.assign(app.services.clients, { find: () => Promise.reject(new TypeError('with a secret in it')) })
    await send(`${app.issuer}/authorize?client_id=x`).finally(() => Object.assign(app.services.clients, { find }))
    const broken = spanNamed(exporter.getFinishedSpans(), 'HTTP GET /authorize')
    expect([broken.attributes['http.response.status_code'], broken.status]).toEqual([500, { code: 2 }])
    expect(JSON.stringify([broken.attributes, broken.events])).not.toContain('secret')
  })

  test('are of documents that are answered from the last answer, too, and join the log', async () => {
    const path = '/.well-known/jwks.json'
    await send(app.issuer + path)
    exporter.reset()
    lines.length = 0
    const requestId = (await send(app.issuer + path)).headers.get('x-request-id')
    const span = spanNamed(exporter.getFinishedSpans(), `HTTP GET ${path}`)
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': path,
      'http.response.status_code': 200,
      'url.scheme': 'http',
    })
    const { traceId } = span.spanContext()
    expect(lines.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ msg: 'request', id: requestId, path, status: 200, trace_id: traceId }),
    )
  })

  test('join the log, and are not continued from a stranger', async () => {
    lines.length = 0
    await send(`${app.issuer}/healthz`, { headers: { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` } })
    const span = spanNamed(exporter.getFinishedSpans(), 'HTTP GET /healthz')
    const { traceId, spanId } = span.spanContext()
    expect(traceId).not.toBe(TRACE_ID)
    expect(lines.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ msg: 'request', path: '/healthz', trace_id: traceId, span_id: spanId }),
    )
  })
})

test('a trace is continued from a trusted proxy', async () => {
  const [sqlite] = databases
  if (!sqlite) throw new Error('SQLite is always there')
  const app = await startApp(sqlite, { settings: { TRUSTED_PROXIES: '127.0.0.1,::1' } })
  await send(`${app.issuer}/healthz`, { headers: { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` } })
  await app.close()
  expect(spanNamed(exporter.getFinishedSpans(), 'HTTP GET /healthz').spanContext().traceId).toBe(TRACE_ID)
})

function spanNamed(spans: readonly ReadableSpan[], name: string): ReadableSpan {
  const found = spans.find((span) => span.name === name)
  if (!found) throw new Error(`no span ${name} among ${[...new Set(spans.map((span) => span.name))].join(', ')}`)
  return found
}

function childrenOf(spans: readonly ReadableSpan[], parent: ReadableSpan): readonly ReadableSpan[] {
  const { spanId } = parent.spanContext()
  return spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId)
}
