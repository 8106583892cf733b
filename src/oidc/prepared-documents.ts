import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import type { Provider } from 'oidc-provider'
import { DOCUMENTS } from './document-caching.ts'

interface Prepared {
  /** The one that gave the answer: another one has other keys. */
  readonly provider: Provider
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The endpoint, as metrics name it. */
  readonly route: unknown
}

/**
 * Answers discovery and JWKS, which are the same for everybody until the keys change, with what was answered before,
 * headers included, in place of everything that stands behind. Only the plainest request: a script of another origin, a
 * condition or a query go the long way.
 * @param base path of the issuer
 */
export function preparedDocuments(base: string, provider: () => Provider): Middleware {
  const prepared = new Map<string, Prepared>()

  return async (ctx, next) => {
    const { req, res } = ctx
    const url = req.url ?? ''
    if (!isPlain(req) || !url.startsWith(base) || !DOCUMENTS.has(url.slice(base.length))) return next()
    const known = prepared.get(url)
    const asked = provider()
    if (known?.provider === asked) {
      ctx.set(known.headers)
      ctx['_matchedRoute'] = known.route
      ctx.body = known.body
      return
    }
    await next()
    const { body, status } = ctx
    // boundary: a text since document-caching.ts
    if (status !== 200 || typeof body !== 'string' || asked !== provider()) return
    const headers = Object.entries(res.getHeaders()).filter(([name]) => !OF_ONE_ANSWER.has(name))
    prepared.set(url, {
      provider: asked,
      headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
      body: Buffer.from(body),
      route: ctx['_matchedRoute'],
    })
  }
}

const OF_ONE_ANSWER = new Set(['x-request-id', 'connection', 'content-length'])

function isPlain({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.origin === undefined && headers['if-none-match'] === undefined
}
