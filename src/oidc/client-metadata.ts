import { errors, Provider, type JWKS } from 'oidc-provider'
import { DELIVERY_MODES } from '#core/clients/backchannel-grant.ts'
import type { ValidateMetadata } from '#core/clients/clients.ts'
import type { Services, Settings } from '#core/services.ts'
import type { SigningKeys } from '#core/signing-keys/signing-keys.ts'
import { AppError } from '#platform/errors.ts'
import { authorizationDetails, type DetailsFeature } from './authorization-details.ts'
import { mutualTls } from './client-certificates.ts'
import { protocol } from './configuration.ts'
import { SWITCHES } from './features.ts'
import { outboundFetch } from './outbound.ts'
import { readSectorDocument } from './sector-document.ts'

interface ValidatorNeeds extends Pick<Services, 'settings' | 'metrics' | 'apis'> {
  /** They decide which algorithms a client may ask for, as the APIs decide which authorization details it may. */
  readonly signingKeys: Pick<SigningKeys, 'version' | 'load'>
}

/**
 * Prepares the library's own verdict on a client's metadata, asked before anything is stored: reads the document of its
 * sector, if it names one. What is prepared, and what prepares, throws AppError(invalid_input) with the reason.
 */
export function metadataValidator({
  settings,
  metrics,
  signingKeys,
  apis,
}: ValidatorNeeds): (meant: Record<string, unknown>) => Promise<ValidateMetadata> {
  let prepared: { readonly version: string; readonly validate: ValidateMetadata } | undefined
  const fetch = outboundFetch({ settings, metrics })
  return async (meant) => {
    await readSectorDocument(fetch, meant)
    const detailTypes = await apis.detailTypes()
    const version = JSON.stringify([await signingKeys.version(), detailTypes])
    if (prepared?.version === version) return prepared.validate
    const { keys } = await signingKeys.load()
    const details = authorizationDetails(apis, detailTypes)
    const validate = validatorOf(new Provider(settings.issuer, validating(settings, { keys: [...keys] }, details)))
    prepared = { version, validate }
    return validate
  }
}

function validatorOf({ Client }: Provider): ValidateMetadata {
  return async (metadata) => {
    try {
      // boundary: a static method that the published types leave out
      await (Client as unknown as { validate: ValidateMetadata }).validate(metadata)
    } catch (error) {
      if (!(error instanceof errors.InvalidClientMetadata)) throw error
      throw new AppError(
        'invalid_input',
        `The client's metadata is not valid: ${error.error_description ?? error.message}.`,
        {
          hint: 'Correct the option or the member that is named, and try again.',
          cause: error,
        },
      )
    }
  }
}

/** As the server's configuration, without a database behind it. */
function validating(settings: Settings, jwks: JWKS, richAuthorizationRequests: DetailsFeature) {
  const unused = async (): Promise<never> => {
    throw new Error('metadata is validated without a database')
  }
  const adapter = {
    upsert: unused,
    find: unused,
    findByUid: unused,
    findByUserCode: unused,
    destroy: unused,
    consume: unused,
    revokeByGrantId: unused,
  }
  return {
    ...protocol(settings, jwks),
    adapter: () => adapter,
    features: {
      ...SWITCHES,
      ...mutualTls(settings),
      richAuthorizationRequests,
      deviceFlow: { enabled: true },
      ciba: {
        enabled: true,
        deliveryModes: [...DELIVERY_MODES],
        triggerAuthenticationDevice: unused,
        validateRequestContext: unused,
        verifyUserCode: unused,
      },
      dPoP: { enabled: true },
      introspection: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
  }
}
