import { errors, Provider, type JWKS } from 'oidc-provider'
import type { Settings } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { protocol } from './configuration.ts'

export type ValidateMetadata = (metadata: Record<string, unknown>) => Promise<void>

/**
 * The library's own verdict on a client's metadata, asked before anything is stored.
 * The function throws AppError(invalid_input) with the library's reason.
 */
export function metadataValidator(settings: Settings, loadJwks: () => Promise<JWKS>): ValidateMetadata {
  let provider: Promise<Provider> | undefined
  return async (metadata) => {
    provider ??= loadJwks().then((jwks) => new Provider(settings.issuer, validating(settings, jwks)))
    const { Client } = await provider
    try {
      // boundary: a static method that the published types leave out
      await (Client as unknown as { validate: ValidateMetadata }).validate(metadata)
    } catch (error) {
      if (!(error instanceof errors.InvalidClientMetadata)) throw error
      throw new AppError('invalid_input', `The client's metadata is not valid: ${error.error_description ?? error.message}.`, {
        hint: 'Correct the option or the member that is named, and try again.',
        cause: error,
      })
    }
  }
}

/** As the server's configuration, without a database behind it. */
function validating(settings: Settings, jwks: JWKS) {
  const unused = async (): Promise<never> => {
    throw new Error('metadata is validated without a database')
  }
  const adapter = { upsert: unused, find: unused, findByUid: unused, findByUserCode: unused, destroy: unused, consume: unused, revokeByGrantId: unused }
  return {
    ...protocol(settings, jwks),
    adapter: () => adapter,
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  }
}
