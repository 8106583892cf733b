/** What software says about itself, read by the rules of core/registration, and their refusals in the words of the RFC. */
import { errors } from 'oidc-provider'
import { OPEN_BOUNDS } from '#core/registration/bounds.ts'
import { selfRegistration } from '#core/registration/self-registration.ts'
import type { Settings } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { addressRules } from '#platform/fetch-addresses.ts'

type Members = Readonly<Record<string, unknown>>

/** Reads metadata as input for core/clients. The function it gives throws AppError(invalid_input). */
export function metadataReader({ outbound }: Settings) {
  const addresses = addressRules(outbound.allow)
  return (metadata: Members, bounds = OPEN_BOUNDS) => selfRegistration(metadata, bounds, addresses)
}

/**
 * The same for a document at a client id. The library has refused methods with a secret there, and then writes its
 * default over a method that was left out.
 */
export function documentReader(settings: Settings) {
  const read = metadataReader(settings)
  return ({ token_endpoint_auth_method: method, ...metadata }: Members) =>
    read({ ...metadata, token_endpoint_auth_method: method === 'client_secret_basic' ? 'none' : method })
}

/** Runs a rule of ours and throws its refusals so. */
export function refusedInItsWords<T>(judge: () => T): T {
  try {
    return judge()
  } catch (error) {
    throw inItsWords(error)
  }
}

/** Our refusals as RFC 7591 §3.2.2 has them; the library says invalid_redirect_uri where that member stands first. */
export function inItsWords(error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  if (error.code === 'forbidden') return new errors.InvalidToken({ cause: error })
  if (error.code !== 'invalid_input') return error
  const { redirect_uris: redirects, ...others } = error.fields ?? {}
  const fields = Object.entries({ ...(redirects === undefined ? {} : { redirect_uris: redirects }), ...others })
  const description = fields.map(([member, message]) => `${member}: ${message}`).join(' ')
  return new errors.InvalidClientMetadata(printable(description === '' ? error.message : description))
}

/** RFC 6749 §5.2: what a description may hold. */
function printable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x7e]|\\/g, '?')
}
