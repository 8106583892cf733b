/**
 * The one gate that every request passes before anything reads it: the path, the query and the body have to be what they
 * claim to be, in one spelling. What one database would take and the other refuse, what one parser reads in one way and
 * the next in another, ends here with 400, for every endpoint and page alike. What a parameter means is judged behind it.
 */
import type { IncomingMessage } from 'node:http'
import type { Context, Middleware, Next } from 'koa'
import { jsonProblem } from './json-problem.ts'
import { textProblem } from './text-problem.ts'

/** More than any request of the protocol has, with a `resource` for each of the largest number of APIs. */
const MOST_PARAMETERS = 200
/** What the protocol library reads at most. It fits into a stream's buffer, where it waits for who reads it. */
const MOST_BODY_BYTES = 56 * 1024
const FORM = 'application/x-www-form-urlencoded'
/** Parameters whose value is JSON (OpenID Connect Core 1.0 §5.5, RFC 9396 §2). */
const JSON_PARAMETERS = new Set(['claims', 'authorization_details'])

/** Refuses what is malformed with 400, a body that is too large with 413, and one that is packed with 415. */
export const strictInput: Middleware = (ctx, next) => {
  refuse(ctx, pathProblem(ctx.path) ?? parametersProblem(ctx.querystring))
  const kind = ctx.is(FORM, 'application/json')
  // what is neither is refused unread, by whoever expected one of them; what is empty ends before it begins
  return kind && ctx.get('Content-Length') !== '0' ? judgeBody(ctx, kind, next) : next()
}

async function judgeBody(ctx: Context, kind: string, next: Next): Promise<void> {
  if (!/^(identity)?$/i.test(ctx.get('Content-Encoding'))) refuse(ctx, 'the body must not be packed', 415)
  if (!/^(utf-?8)?$/i.test(ctx.request.charset)) refuse(ctx, 'the body must be UTF-8', 415)
  const body = await bodyOf(ctx.req)
  if (body === 'too large') return refuse(ctx, `the body is larger than ${MOST_BODY_BYTES} bytes`, 413)
  if (body === 'broken off') return refuse(ctx, 'the body ends too early')
  const text = textOf(body)
  if (text === undefined) return refuse(ctx, 'the body is not UTF-8')
  refuse(ctx, kind === FORM ? parametersProblem(text) : (textProblem(text) ?? jsonProblem(text)))
  await next()
}

function refuse(ctx: Context, problem: string | undefined, status = 400): void {
  if (problem === undefined) return
  // of what was refused nothing more is read
  ctx.set('Connection', 'close')
  ctx.throw(status, problem, { problem })
}

function pathProblem(path: string): string | undefined {
  const decoded = decode(path)
  return decoded === undefined ? 'the path is not percent-encoded UTF-8' : textProblem(decoded)
}

/** Of a query or a form: pairs as the protocol library and `URLSearchParams` read them alike. */
function parametersProblem(text: string): string | undefined {
  if (text === '') return undefined
  const pairs = text.split('&')
  if (pairs.length > MOST_PARAMETERS) return `there are more than ${MOST_PARAMETERS} parameters`
  for (const pair of pairs) {
    const decoded = decode(pair.replaceAll('+', ' '))
    if (decoded === undefined) return 'a parameter is not percent-encoded UTF-8'
    const problem = textProblem(decoded) ?? valueProblem(decoded)
    if (problem !== undefined) return problem
  }
  return undefined
}

function valueProblem(pair: string): string | undefined {
  const at = pair.indexOf('=')
  return JSON_PARAMETERS.has(pair.slice(0, at)) ? jsonProblem(pair.slice(at + 1)) : undefined
}

/** Refuses what is no UTF-8, surrogates included. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * The body, which stays in the request for whoever reads it. It is waited for without being taken out: it has room in the
 * stream's buffer, beyond which nothing would be read from the connection.
 */
function bodyOf(req: IncomingMessage): Promise<Buffer | 'too large' | 'broken off'> {
  return new Promise((resolve) => {
    const end = (result: Parameters<typeof resolve>[0]): void => {
      req.off('readable', look)
      req.off('error', breakOff)
      req.off('close', breakOff)
      resolve(result)
    }
    const breakOff = (): void => end('broken off')
    const look = (): void => {
      if (req.readableLength > MOST_BODY_BYTES) end('too large')
      else if (req.complete) end(peek(req))
    }
    if (req.destroyed) return breakOff()
    req.on('readable', look)
    req.on('error', breakOff)
    req.on('close', breakOff)
  })
}

function peek(req: IncomingMessage): Buffer | 'broken off' {
  const body: unknown = req.read()
  if (!Buffer.isBuffer(body)) return 'broken off'
  req.unshift(body)
  return body
}
