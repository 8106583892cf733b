// A TLS proxy in front of a server, as an operator might have one: it works until it is told what to do wrong.
import { request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { text } from 'node:stream/consumers'
import type { SecureContextOptions } from 'node:tls'
import type { CertificateWithKey } from './certificate.ts'

export interface Forwarded {
  path: string
  headers: IncomingHttpHeaders
}

export interface Returned {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** What it does wrong; both may change what they are given. */
export interface Fault {
  onTheWayIn?(request: Forwarded): void
  /** @param asked as it came in */
  onTheWayOut?(answer: Returned, asked: Readonly<Forwarded>): void
}

export interface BrokenProxy {
  fault: Fault
  close(): Promise<void>
}

/** Listens at localhost with the certificate, or as else it is told to speak TLS, and hands on to the port. */
export async function brokenProxy(
  port: number,
  upstream: number,
  { certificate: cert, ...tls }: CertificateWithKey & SecureContextOptions,
): Promise<BrokenProxy> {
  const proxy: BrokenProxy = { fault: {}, close: () => new Promise((resolve) => server.close(() => resolve())) }
  const server = createServer({ cert, ...tls }, (req, res) => {
    handOn(req, res, upstream, proxy.fault).catch(() => res.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve))
  return proxy
}

async function handOn(req: IncomingMessage, res: ServerResponse, upstream: number, fault: Fault): Promise<void> {
  const caller = (req.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  const hops = [req.headers['x-forwarded-for'], caller].filter((hop) => hop !== undefined)
  const forwarded = { path: req.url ?? '', headers: { ...req.headers, 'x-forwarded-for': hops.join(', ') } }
  fault.onTheWayIn?.(forwarded)
  const answer = await returnedBy(forwarded, req, upstream)
  fault.onTheWayOut?.(answer, { path: req.url ?? '', headers: req.headers })
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([, value]) => value !== undefined))
  res.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(answer.body) }).end(answer.body)
}

async function returnedBy({ path, headers }: Forwarded, req: IncomingMessage, port: number): Promise<Returned> {
  const { method } = req
  const call = request({ host: 'localhost', port, method, path, headers })
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    call.once('response', resolve).once('error', reject),
  )
  call.end(await text(req))
  const answer = await answered
  const { 'transfer-encoding': _, ...rest } = answer.headers
  return { status: answer.statusCode ?? 502, headers: rest, body: await text(answer) }
}
