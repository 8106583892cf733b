// Registering as software does it (RFC 7591, RFC 7592).
import { bearer, send, type Answer } from './protocol.ts'

/** A client that registered itself, and the token with which it keeps its record. */
export interface Registered {
  readonly id: string
  readonly manager: string
}

type Metadata = Readonly<Record<string, unknown>>

/** @param headers sent with each request */
export function registering(issuer: () => string, headers: Readonly<Record<string, string>> = {}) {
  const json = { 'content-type': 'application/json', ...headers }
  const at = ({ id }: Registered) => `${issuer()}/register/${id}`
  const as = ({ manager }: Registered) => ({ ...bearer(manager), ...headers })
  return {
    register: (metadata: Metadata, token?: string): Promise<Answer> =>
      send(`${issuer()}/register`, {
        method: 'POST',
        body: JSON.stringify(metadata),
        headers: { ...json, ...(token === undefined ? {} : bearer(token)) },
      }),
    read: (client: Registered): Promise<Answer> => send(at(client), { headers: as(client) }),
    change: (client: Registered, metadata: Metadata): Promise<Answer> =>
      send(at(client), {
        method: 'PUT',
        body: JSON.stringify({ client_id: client.id, ...metadata }),
        headers: { ...json, ...as(client) },
      }),
    remove: (client: Registered): Promise<Answer> => send(at(client), { method: 'DELETE', headers: as(client) }),
  }
}

/** The client in the answer to a registration or a change. */
export function itselfIn(json: Metadata): Registered {
  return { id: String(json['client_id']), manager: String(json['registration_access_token']) }
}
