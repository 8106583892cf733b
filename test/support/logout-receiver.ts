// The back-channel logout endpoints of relying parties: one listener, a path for each, which answers as it is told and
// keeps every logout token that it was sent.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Behaviour = (response: ServerResponse, hit: number) => void

export interface LogoutReceiver {
  /** The endpoint of the name; the behaviour answers each request, 204 by default. */
  endpoint(name: string, behaviour?: Behaviour): string
  /** The logout tokens that came, in their order. */
  tokens(name: string): readonly string[]
  /** Requests to whatever path. */
  readonly hits: () => number
  close(): Promise<void>
}

export async function logoutReceiver(): Promise<LogoutReceiver> {
  const behaviours = new Map<string, Behaviour>()
  const received = new Map<string, string[]>()
  let hits = 0
  const server = createServer((request, response) => {
    hits += 1
    const name = (request.url ?? '').slice(1)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token')
      const tokens = [...(received.get(name) ?? []), ...(token === null ? [] : [token])]
      received.set(name, tokens)
      const behaviour = behaviours.get(name) ?? ((answer: ServerResponse) => answer.writeHead(204).end())
      behaviour(response, tokens.length)
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    endpoint(name, behaviour) {
      if (behaviour) behaviours.set(name, behaviour)
      return `http://127.0.0.1:${port}/${name}`
    },
    tokens: (name) => received.get(name) ?? [],
    hits: () => hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
