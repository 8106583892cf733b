/**
 * Clients, remembered for a moment. Each protocol request asks for its client, a code flow five times, and an answer
 * costs a query, an opened seal and two shapes: a tenth of a millisecond. A change made in this process holds at once;
 * one made in another, which is what the command line is, when the moment is over.
 */
import type { Clock } from '#platform/clock.ts'
import type { Client } from './client.ts'
import type { Clients } from './clients.ts'

/** Half of what the command line promises. */
const REMEMBERED_MS = 500
const MOST_REMEMBERED = 1_000

interface Remembered {
  readonly client: Promise<Client | undefined>
  readonly at: number
  /** By the clock: what expires does so on the second. */
  readonly second: number
}

/** The same clients. One object is given to many requests, so nobody can change it. */
export function rememberClients(clients: Clients, clock: Clock): Clients {
  const remembered = new Map<string, Remembered>()

  const load = async (id: string): Promise<Client | undefined> => {
    const client = frozen(await clients.find(id))
    // strangers may ask for any number of clients that there are none of
    if (!client) remembered.delete(id)
    return client
  }

  const forgetting =
    <Args extends readonly unknown[], Result>(change: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await change(...args)
      } finally {
        // what was asked for before the change was committed goes, too: it stands here since it was asked for
        remembered.clear()
      }
    }

  const find: Clients['find'] = (id) => {
    const known = remembered.get(id)
    const second = clock.now()
    if (known?.second === second && performance.now() - known.at < REMEMBERED_MS) return known.client
    if (remembered.size >= MOST_REMEMBERED) remembered.clear()
    const client = load(id)
    remembered.set(id, { client, at: performance.now(), second })
    client.catch(() => remembered.delete(id))
    return client
  }

  return {
    ...clients,
    find,
    get: async (id) => (await find(id)) ?? clients.get(id),
    register: forgetting(clients.register),
    update: forgetting(clients.update),
    replace: forgetting(clients.replace),
    rotateSecret: forgetting(clients.rotateSecret),
    disable: forgetting(clients.disable),
    enable: forgetting(clients.enable),
    remove: forgetting(clients.remove),
    removeUnused: forgetting(clients.removeUnused),
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}
