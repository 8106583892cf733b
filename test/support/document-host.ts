// A host of client id metadata documents: https with a certificate that this process trusts while it is open.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { certificateOfLocalhost } from './certificate.ts'

export interface DocumentHost {
  readonly origin: string
  /** Puts a document at the path and gives its address; it names that as client_id unless it says another. */
  put(path: string, document: Readonly<Record<string, unknown>>): string
  /** From now on nothing is answered, until the function that it gives is called. */
  hold(): () => void
  /** Paths in the order in which they were asked for. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

export async function openDocumentHost(): Promise<DocumentHost> {
  const { certificate, key } = await certificateOfLocalhost()
  const trusted = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...trusted, certificate])
  const documents = new Map<string, string>()
  const asked: string[] = []
  let free = Promise.resolve()
  const server = createServer({ cert: certificate, key }, ({ url = '' }, response) => {
    asked.push(url)
    const found = documents.get(url)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    void free.then(() => response.end(found))
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`

  return {
    origin,
    asked,
    put(path, document) {
      const id = origin + path
      documents.set(path, JSON.stringify({ client_id: id, ...document }))
      return id
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      free = promise
      return resolve
    },
    async close() {
      tls.setDefaultCACertificates(trusted)
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
  }
}
