import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import { OutboundError, type GuardedFetch } from '#platform/fetch.ts'

const named = z.object({ sector_identifier_uri: z.string(), redirect_uris: z.array(z.string()) })
const document = z.array(z.string())

/**
 * Reads what stands at the `sector_identifier_uri` of a client, if it names one. All redirect URIs have to be listed
 * there, so that nobody joins the sector of a host without its owner (OpenID Connect Dynamic Client Registration 1.0 §5).
 * @throws AppError(invalid_input) where the document cannot be read, or leaves out a redirect URI
 */
export async function readSectorDocument(fetch: GuardedFetch, metadata: Record<string, unknown>): Promise<void> {
  const { success, data } = named.safeParse(metadata)
  if (!success) return
  const listed = await listAt(fetch, data.sector_identifier_uri)
  const missing = data.redirect_uris.find((uri) => !listed.includes(uri))
  if (missing !== undefined) throw refusal(`The document of the sector does not list ${missing}.`)
}

async function listAt(fetch: GuardedFetch, uri: string): Promise<readonly string[]> {
  try {
    const answer = await fetch(uri, { headers: { accept: 'application/json' } })
    if (answer.status === 200) return document.parse(await answer.json())
    throw refusal(`The sector_identifier_uri answered with status ${answer.status}.`)
  } catch (cause) {
    if (cause instanceof OutboundError) throw refusal('The sector_identifier_uri cannot be read.', cause)
    if (cause instanceof SyntaxError || cause instanceof z.ZodError)
      throw refusal('At the sector_identifier_uri is no JSON list of redirect URIs.', cause)
    throw cause
  }
}

function refusal(message: string, cause?: unknown): AppError {
  return new AppError('invalid_input', message, {
    hint: 'Publish a JSON list of all redirect URIs of the sector at that address, and try again.',
    cause,
  })
}
