import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TlsOptions } from 'node:tls'
import { AppError } from '#platform/errors.ts'
import { boundConnections, SERVER_OPTIONS } from '#platform/http/connection-bounds.ts'
import type { Config } from './config.ts'

export interface Listening {
  readonly port: number
  /**
   * Stops accepting, lets requests under way finish, and closes idle connections. Whatever is answered from now on is
   * the last answer on its connection, and says so.
   * @param lingerMs for so long connections are still taken, so that who sends them hears that we are closing
   */
  drain(lingerMs?: number): Promise<void>
}

const DRAIN_LIMIT_MS = 8_000

/** TLS 1.3, and of TLS 1.2 what RFC 9325 (BCP 195) §4.2 recommends: nothing without forward secrecy, and no CBC. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':')

/** @throws AppError(configuration) where the address cannot be had or a TLS file cannot be used */
export async function listen(
  { host, port, tls }: Config['listen'],
  handler: (req: IncomingMessage, res: ServerResponse) => unknown,
  clientAuthorities: readonly string[] = [],
): Promise<Listening> {
  let draining = false
  const underWay = new Set<ServerResponse>()
  const answer: RequestListener = (req, res) => {
    underWay.add(res)
    res.once('close', () => underWay.delete(res))
    if (draining) endConnectionWith(res)
    handler(req, res)
  }
  const server = tls
    ? createTlsServer({ ...SERVER_OPTIONS, ...readTls(tls), ciphers: CIPHERS, ...askingFor(clientAuthorities) }, answer)
    : createServer(SERVER_OPTIONS, answer)
  boundConnections(server)
  const sockets = new Set<Socket>()
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await bound(server, host, port)

  return {
    port: (server.address() as AddressInfo).port,
    async drain(lingerMs = 0) {
      draining = true
      for (const res of underWay) endConnectionWith(res)
      if (lingerMs > 0) await sleep(lingerMs)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // a browser opens connections ahead of what it asks; to Node one that never asked is not idle
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS).unref()
      await closed
    },
  }
}

/** A client that keeps its connection would hold the server open until it tires of it, or lose its next request. */
function endConnectionWith(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close')
}

/**
 * With authorities, the server asks each client for a certificate, and goes on without: whether one is needed, and
 * whether it holds, is decided where the client is known. Browsers ask people only for certificates of the authorities.
 */
function askingFor(clientAuthorities: readonly string[]): TlsOptions {
  return clientAuthorities.length === 0
    ? {}
    : { ca: [...clientAuthorities], requestCert: true, rejectUnauthorized: false }
}

async function bound(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, resolve)
    })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EADDRINUSE') {
      throw new AppError('configuration', `Port ${port} on ${host} is taken by another program.`, {
        hint: 'Stop that program, or set PORT (and ISSUER, if relying parties reach this server on that port) to another one.',
        cause,
      })
    }
    if (code === 'EACCES') {
      throw new AppError('configuration', `This user may not listen on port ${port}.`, {
        hint: 'Set PORT to one above 1023, behind a proxy if need be.',
        cause,
      })
    }
    throw new AppError(
      'configuration',
      `The server cannot listen on ${host}, port ${port} (${String(code ?? cause)}).`,
      {
        hint: 'Set HOST to an address of this machine.',
        cause,
      },
    )
  }
}

/** The certificate and its key. @throws AppError(configuration) naming the setting whose file cannot be read */
export function readTls({ cert, key }: { readonly cert: string; readonly key: string }): { cert: Buffer; key: Buffer } {
  return { cert: readPem(cert, 'TLS_CERT'), key: readPem(key, 'TLS_KEY') }
}

function readPem(path: string, name: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new AppError('configuration', `${name} names ${path}, which cannot be read.`, {
      hint: 'Name a PEM file that this server may read.',
      cause,
    })
  }
}
