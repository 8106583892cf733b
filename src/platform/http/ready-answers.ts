import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '#platform/log.ts'
import type { PlatformMetrics } from '#platform/metrics.ts'
import { logAnswer } from './access-log.ts'
import { factsReader, REQUEST_ID } from './request-facts.ts'
import { answerTelemetry } from './request-telemetry.ts'

/** An answer with status 200 that is the same for everybody. */
export interface ReadyAnswer {
  /** Names and values in turn. */
  readonly headers: readonly string[]
  /** Of ASCII alone, which is sent in one piece with the headers, as no buffer is. */
  readonly body: string
  /** The endpoint, as metrics name it. */
  readonly route: string
}

interface Around {
  readonly log: Log
  readonly requests: PlatformMetrics['requests']
  readonly trustedProxies: readonly string[]
  /** The issuer's: `https` or `http`. */
  readonly protocol: string
}

/**
 * Sends what is ready before Koa makes anything of the request, which is half of what such an answer costs. It gets an
 * id, and is counted, traced and logged, as all requests in the table of app.ts are.
 */
export function readySender({ log, requests, trustedProxies, protocol }: Around) {
  const readFacts = factsReader(trustedProxies)
  const told = answerTelemetry(requests, trustedProxies)
  return (req: IncomingMessage, res: ServerResponse, { headers, body, route }: ReadyAnswer): void => {
    const { method = '', url = '' } = req
    const startedAt = performance.now()
    told(req, { method, route, status: 200, protocol }, () => {
      const facts = readFacts(req)
      res.writeHead(200, [REQUEST_ID, facts.id, ...headers]).end(body, 'latin1')
      logAnswer(log, facts, { method, url, status: 200, startedAt })
    })
  }
}
