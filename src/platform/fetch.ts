/**
 * The one way out. Whoever registers an address that we call (key sets, logout addresses) chooses where this server
 * knocks, so every call is guarded: https only, no address inside the operator's network, no redirects, one deadline
 * for all of it, an answer of bounded size that nothing unpacks, no proxy from the environment. What is checked is the
 * address that is connected to, not the name: the name is resolved once, and the connection goes to what was checked.
 */
import { lookup as systemLookup } from 'node:dns/promises'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import { addressRules } from './fetch-addresses.ts'

export interface OutboundRules {
  /** Addresses and CIDRs that may be reached although private; http is spoken to these only. */
  readonly allow: readonly string[]
  /** For everything from the resolution of the name to the last byte. */
  readonly timeoutMs: number
  /** An answer that is longer is cut off, and reading it fails. */
  readonly maxBytes: number
  /** Every address of a name; the system's resolver unless a test brings another. */
  readonly resolve?: (hostname: string) => Promise<readonly ResolvedAddress[]>
}

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

export type GuardedFetch = (input: string | URL, init?: RequestInit) => Promise<Response>

export type OutboundReason = 'bad_url' | 'address' | 'timeout' | 'too_large' | 'unreachable'

/** Why a call out did not come to an answer, or its answer to an end. The message is for the operator. */
export class OutboundError extends Error {
  readonly reason: OutboundReason

  constructor(reason: OutboundReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'OutboundError'
    this.reason = reason
  }
}

const MAX_HEADER_BYTES = 16_384
const NULL_BODY_STATUS = new Set([204, 205, 304])

/**
 * Makes a function that is called as `fetch` is. It differs: an answer that redirects is given back as it is, nothing
 * is decompressed, and it rejects with OutboundError, as does reading a body that is too long or too slow.
 */
export function guardedFetch({ allow, timeoutMs, maxBytes, resolve = resolveAll }: OutboundRules): GuardedFetch {
  const { isNamed, isOpen } = addressRules(allow)

  return async (input, init = {}) => {
    const url = parseTarget(input)
    const mayReach = url.protocol === 'http:' ? isNamed : isOpen
    const host = url.hostname.replace(/^\[|\]$/g, '')
    // an address in the URL itself is never looked up
    if (isIP(host) !== 0 && !mayReach(host)) throw closed(url)

    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = init.signal ? AbortSignal.any([deadline, init.signal]) : deadline
    const { headers, body } = await content(init)
    const answer = await answerTo(url, {
      method: init.method ?? 'GET',
      headers,
      body,
      signal,
      mayReach,
      lookup: lookupAmong(mayReach, resolve, url),
    })
    return responseOf(answer, maxBytes, signal)
  }
}

function parseTarget(input: string | URL): URL {
  const url = URL.parse(String(input))
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new OutboundError('bad_url', 'an outbound request needs an https address')
  if (url.username !== '' || url.password !== '')
    throw new OutboundError('bad_url', 'an outbound request takes no user name and password in its address')
  return url
}

async function content(init: RequestInit): Promise<{ headers: Headers; body: Buffer | undefined }> {
  const headers = new Headers(init.headers)
  headers.set('accept-encoding', 'identity')
  if (headers.get('user-agent') === '') headers.delete('user-agent')
  if (init.body === undefined || init.body === null) return { headers, body: undefined }
  const carrier = new Response(init.body)
  const type = carrier.headers.get('content-type')
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type)
  return { headers, body: Buffer.from(await carrier.arrayBuffer()) }
}

interface Call {
  readonly method: string
  readonly headers: Headers
  readonly body: Buffer | undefined
  readonly signal: AbortSignal
  readonly mayReach: (address: string) => boolean
  readonly lookup: LookupFunction
}

function answerTo(url: URL, { method, headers, body, signal, mayReach, lookup }: Call): Promise<IncomingMessage> {
  const isHttps = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    const request = (isHttps ? httpsRequest : httpRequest)(url, {
      method,
      headers: { ...Object.fromEntries(headers), ...(body ? { 'content-length': body.length } : {}) },
      // an agent of its own: no connection is shared, and none goes through a proxy that the environment names
      agent: isHttps ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false }),
      maxHeaderSize: MAX_HEADER_BYTES,
      lookup,
      signal,
    })
    request.once('response', resolve)
    request.on('error', (error) => reject(failure(error, url, signal)))
    // a switch to another protocol (101) closes without an answer and without an error
    request.once('close', () => reject(failure('closed without an answer', url, signal)))
    request.once('socket', (socket) => {
      // the lookup has judged already; this holds whatever becomes of that
      socket.once('connect', () => mayReach(socket.remoteAddress ?? '') || request.destroy(closed(url)))
    })
    request.end(body)
  })
}

/** Gives the connection only those addresses that it may reach; which one it tries does not matter then. */
function lookupAmong(
  mayReach: (address: string) => boolean,
  resolve: NonNullable<OutboundRules['resolve']>,
  url: URL,
): LookupFunction {
  const openAddresses = callbackify(async (hostname: string): Promise<[ResolvedAddress, ...ResolvedAddress[]]> => {
    const [first, ...others] = (await resolve(hostname)).filter(({ address }) => mayReach(address))
    if (!first) throw closed(url)
    return [first, ...others]
  })
  return (hostname, { all }, callback) =>
    openAddresses(hostname, (error, open) => {
      if (error) callback(error, '')
      else if (all === true) callback(null, open)
      else callback(null, open[0].address, open[0].family)
    })
}

function resolveAll(hostname: string): Promise<ResolvedAddress[]> {
  return systemLookup(hostname, { all: true })
}

function responseOf(answer: IncomingMessage, maxBytes: number, signal: AbortSignal): Response {
  const headers = new Headers()
  try {
    for (const [name, values = []] of Object.entries(answer.headersDistinct))
      for (const value of values) headers.append(name, value)
    const status = answer.statusCode ?? 0
    const body = boundedBody(answer, maxBytes, signal)
    return new Response(NULL_BODY_STATUS.has(status) ? null : body, { status, headers })
  } catch (error) {
    answer.destroy()
    throw new OutboundError('unreachable', 'the answer is not HTTP that can be read', error)
  }
}

/** Reads without being asked, so that a body that nobody wants ends as early as one that somebody reads. */
function boundedBody(answer: IncomingMessage, maxBytes: number, signal: AbortSignal): ReadableStream<Uint8Array> {
  let received = 0
  return new ReadableStream({
    start(controller) {
      const fail = (error: OutboundError): void => {
        answer.removeAllListeners('data')
        answer.destroy()
        controller.error(error)
      }
      answer.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received > maxBytes) fail(new OutboundError('too_large', `the answer is longer than ${maxBytes} bytes`))
        else controller.enqueue(new Uint8Array(chunk))
      })
      answer.once('end', () => controller.close())
      answer.on('error', (error) => fail(failure(error, undefined, signal)))
    },
    cancel: () => void answer.destroy(),
  })
}

function closed({ hostname }: URL): OutboundError {
  return new OutboundError(
    'address',
    `${hostname} is at an address that outbound requests may not reach; OUTBOUND_ALLOW can name it`,
  )
}

function failure(error: unknown, url?: URL, signal?: AbortSignal): OutboundError {
  if (error instanceof OutboundError) return error
  if (signal?.aborted === true) return new OutboundError('timeout', 'no whole answer came in time', error)
  const reason = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
  return new OutboundError('unreachable', `${url?.host ?? 'the connection'} failed: ${reason}`, error)
}
