import { isDeepStrictEqual } from 'node:util'
import type { Actor } from '#core/audit/event.ts'
import type { Client } from './client.ts'
import { parseRegistration } from './client-input.ts'
import type { Clients } from './clients.ts'
import { wholeMetadata } from './presets.ts'

/**
 * Remembers what a client says in the document at its id; what an administrator decided about it stays.
 * @throws AppError(invalid_input)
 */
export async function rememberDocument(
  clients: Pick<Clients, 'find' | 'register' | 'replace'>,
  id: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Client> {
  const by: Actor = { kind: 'client' }
  const known = await clients.find(id)
  if (known) return says(known, input) ? known : clients.replace(id, input, by)
  const itself = { id, secret: undefined, tokenId: undefined, origin: 'metadata_document', by } as const
  try {
    return (await clients.register(input, itself)).client
  } catch (error) {
    // another request at the same moment may have been the first
    const meanwhile = await clients.find(id)
    if (!meanwhile) throw error
    return meanwhile
  }
}

function says(known: Client, input: unknown): boolean {
  const said = parseRegistration(input, known.origin)
  return (
    known.name === said.name &&
    known.type === said.type &&
    isDeepStrictEqual(known.metadata, wholeMetadata({ ...known, registered: said.registered }))
  )
}
