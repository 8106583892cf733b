// The load's own HTTP client: node:http over kept connections, as cheap as can be, so that the server is what is busy.
import { Agent, request, type IncomingHttpHeaders } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Sent {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** With a form the request is a POST. */
  readonly form?: Readonly<Record<string, string>>
}

export interface HttpClient {
  send(sent: Sent): Promise<Answer>
  /** Closes the connections; the next request opens a new one. */
  close(): void
}

/** Sooner than either server: one that is closed under the next request ends a run. Without it the agent waits for them. */
const IDLE_MS = 30_000

export function httpClient(origin: string): HttpClient {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS })
  const { hostname: host, port } = new URL(origin)
  return {
    send: ({ path, headers = {}, form }) =>
      new Promise((resolve, reject) => {
        const body = form && new URLSearchParams(form).toString()
        const posted = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
        const sent = request({
          agent,
          host,
          port,
          path,
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            ...posted,
            ...headers,
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
        })
        sent.once('error', reject)
        sent.once('response', (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.once('error', reject)
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          )
        })
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}
