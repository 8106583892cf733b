// Calls that leave the server, and listeners on this machine for them.
import type { AddressInfo, Server } from 'node:net'
import { OutboundError } from '#platform/fetch.ts'

/** Why the call was refused; a call that was answered, or failed otherwise, fails the test. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutboundError)) throw new Error(`expected an OutboundError, got ${String(error)}`)
  return error.reason
}

/** Listens on a free port of 127.0.0.1 and gives the port. */
export function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export function stopped(server: Server & { closeAllConnections?(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections?.()
  })
}
