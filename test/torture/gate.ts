// What stands between the clients and the servers: one address in front of one or more processes, as a balancer is. It
// sends to those whose /readyz says 200, and to the next one where a connection is refused, since then nothing was sent
// (nginx: `proxy_next_upstream error` for what was not sent yet). Nothing else is ever sent twice. And it is the witness:
// it judges every answer that passes.
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { watch } from '#platform/watch.ts'

export interface Passed {
  /** Answers by status; `lost` counts the requests whose connection broke. */
  readonly statuses: ReadonlyMap<number | 'lost', number>
  readonly violations: readonly string[]
  readonly longestMs: number
}

export interface Gate {
  readonly origin: string
  /** What has passed since it was asked last. */
  takeNotes(): Passed
  isReady(port: number): boolean
  close(): Promise<void>
}

const LOOK_EVERY_MS = 100
/** Five seconds for the database, and what a very busy machine takes: how long it took is printed. */
const HUNG_MS = 20_000

export async function openGate(port: number, targets: readonly number[]): Promise<Gate> {
  // a connection for each: one that is kept may be closed by its server at the very moment it is used again
  const agent = new Agent({ keepAlive: false })
  const ready = new Set<number>()
  let notes = freshNotes()
  let turn = 0

  const look = async (): Promise<void> => {
    for (const target of targets) {
      const answer = await fetch(`http://127.0.0.1:${target}/readyz`).catch(() => undefined)
      await answer?.arrayBuffer()
      if (answer?.status === 200) ready.add(target)
      else ready.delete(target)
    }
  }

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, tried: readonly number[]): void => {
    const began = performance.now()
    const candidates = [...targets.filter((target) => ready.has(target)), ...targets].filter(
      (target) => !tried.includes(target),
    )
    const target = candidates[turn++ % Math.max(1, candidates.filter((one) => ready.has(one)).length)]
    if (target === undefined) return lose(outgoing)
    const { method, url: path, headers } = incoming
    const sent = request({ port: target, host: '127.0.0.1', method, path, headers, agent }, (answer) => {
      notes.judge(`${method} ${path?.split('?')[0]}`, answer, performance.now() - began)
      outgoing.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers))
      answer.on('error', () => lose(outgoing)).pipe(outgoing)
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') return lose(outgoing)
      ready.delete(target)
      pass(incoming, outgoing, body, [...tried, target])
    })
    sent.end(body)
  }
  const lose = (outgoing: ServerResponse): void => {
    notes.lost()
    outgoing.destroy()
  }

  // none is closed for idling: this process stops for seconds while it checks a large file, and then a client may be using it
  const server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => pass(incoming, outgoing, Buffer.concat(chunks), []))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const endWatch = watch(LOOK_EVERY_MS, look, () => {})
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isReady: (target) => ready.has(target),
    takeNotes() {
      const taken = notes
      notes = freshNotes()
      return taken
    },
    async close() {
      await endWatch()
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A server that is in trouble may say so in one way only. */
function freshNotes() {
  const statuses = new Map<number | 'lost', number>()
  const violations: string[] = []
  const count = (status: number | 'lost'): unknown => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const notes = {
    statuses,
    violations,
    longestMs: 0,
    lost: () => void count('lost'),
    judge(what: string, { statusCode = 0, headers }: IncomingMessage, tookMs: number): void {
      count(statusCode)
      notes.longestMs = Math.max(notes.longestMs, tookMs)
      if (statusCode >= 500 && statusCode !== 503) violations.push(`${what} was answered ${statusCode}`)
      if (statusCode === 503 && headers['retry-after'] === undefined)
        violations.push(`${what} was answered 503 without Retry-After`)
      if (tookMs > HUNG_MS) violations.push(`${what} was answered after ${Math.round(tookMs)} ms`)
    },
  }
  return notes
}

function withoutHops(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== 'connection' && name !== 'transfer-encoding'),
  )
}
