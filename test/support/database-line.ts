// A line to a database of this machine that can be cut, slow, or swallow what is sent over it.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { TestDatabase } from './fresh-databases.ts'

export interface DatabaseLine {
  /** Breaks the connections there are; new ones work. */
  drop(): void
  /** Breaks them and refuses new ones. */
  cut(): Promise<void>
  mend(): Promise<void>
  /** Whatever goes either way comes so many milliseconds late. */
  slow(ms: number): void
  /** Connections stay open and new ones are taken, but nothing comes through, now or later. */
  swallow(): void
  /** New connections work and are fast; those whose words were swallowed stay mute. */
  heal(): void
  close(): Promise<void>
}

/** The same database, reached by a line of its own. */
export async function behindLine(real: TestDatabase): Promise<{ database: TestDatabase; line: DatabaseLine }> {
  const url = new URL(real.url)
  const { port, ...line } = await openLine(Number(url.port))
  url.port = String(port)
  const drop = (): Promise<void> => line.close().then(real.drop)
  return { database: { url: url.href, drop }, line }
}

/** A line to a port of this machine. */
async function openLine(target: number): Promise<DatabaseLine & { readonly port: number }> {
  const open = new Set<Socket>()
  const state = { lateMs: 0, swallows: false }

  const carry = (from: Socket, to: Socket): void => {
    let mute = false
    open.add(from)
    from.on('error', () => {})
    from.once('close', () => open.delete(from) && to.destroy())
    from.on('data', (chunk: Buffer) => {
      mute ||= state.swallows
      if (mute) return
      if (state.lateMs > 0) setTimeout(() => to.write(chunk), state.lateMs)
      else to.write(chunk)
    })
  }
  const answer = (near: Socket): void => {
    const far = connect(target, '127.0.0.1')
    carry(near, far)
    carry(far, near)
  }
  const listening = async (port: number): Promise<Server> => {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return server
  }

  let server = await listening(0)
  const { port } = server.address() as AddressInfo
  const drop = (): void => {
    for (const socket of open) socket.destroy()
  }
  const cut = (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    drop()
    return closed
  }
  return {
    port,
    drop,
    cut,
    async mend() {
      server = await listening(port)
    },
    slow: (ms) => void (state.lateMs = ms),
    swallow: () => void (state.swallows = true),
    heal: () => void Object.assign(state, { lateMs: 0, swallows: false }),
    close: cut,
  }
}
