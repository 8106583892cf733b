import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import type { Provider } from 'oidc-provider'
import type { ReadyAnswer } from '#platform/http/ready-answers.ts'
import { routeOf } from '#platform/http/request-telemetry.ts'
import { DOCUMENTS } from './document-caching.ts'

/** Headers that belong to the one answer they came with. */
const OF_ONE_ANSWER = new Set(['x-request-id', 'connection'])

export interface PreparedDocuments {
  /** What the request is to be answered with; undefined where it has to go the long way. */
  find(req: IncomingMessage): ReadyAnswer | undefined
  /** Keeps what the long way answers, headers included. */
  readonly keep: Middleware
}

interface Prepared extends ReadyAnswer {
  /** The one that gave the answer: another one has other keys. */
  readonly provider: Provider
}

/**
 * Discovery and JWKS are the same for everybody until the keys change, so they are answered with what was answered
 * before. Only the plainest request: a script of another origin, a condition or a query go the long way.
 * @param base path of the issuer
 */
export function preparedDocuments(base: string, provider: () => Provider): PreparedDocuments {
  const prepared = new Map<string, Prepared>()
  const documents = new Set([...DOCUMENTS].map((path) => `${base}${path}`))

  const keepAnswer: Middleware = async (ctx, next) => {
    const url = ctx.req.url ?? ''
    const asked = provider()
    await next()
    const { body, status } = ctx
    // boundary: a text since document-caching.ts
    if (status !== 200 || typeof body !== 'string' || !isAscii(body) || asked !== provider()) return
    const headers = Object.entries(ctx.res.getHeaders()).filter(([name]) => !OF_ONE_ANSWER.has(name))
    prepared.set(url, {
      provider: asked,
      headers: headers.flatMap(([name, value]) => [name, String(value)]),
      body,
      route: routeOf(ctx),
    })
  }

  return {
    find(req) {
      const known = prepared.get(req.url ?? '')
      return known?.provider === provider() && isPlain(req) ? known : undefined
    },

    keep: (ctx, next) => (documents.has(ctx.req.url ?? '') && isPlain(ctx.req) ? keepAnswer(ctx, next) : next()),
  }
}

function isPlain({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.origin === undefined && headers['if-none-match'] === undefined
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}
