/** The clients of the FAPI 2.0 plans: keys instead of secrets, and the certificates for mutual TLS. */
import { createPrivateKey } from 'node:crypto'
import type { Services } from '#core/services.ts'
import { generateSigningKey, type KeyMaterial } from '#core/signing-keys/generate.ts'
import type { SuiteClients } from './plan.ts'

/** The choices that the plans leave, in the suite's own words. */
export interface Fapi2Choice {
  readonly clientAuth: 'private_key_jwt' | 'mtls'
  readonly senderConstrain: 'dpop' | 'mtls'
  /** FAPI 2.0 Message Signing too: signed requests and signed answers. */
  readonly signed: boolean
}

/** Registers both clients of a plan; what they may fetch is userinfo. */
export function fapi2Clients(choice: Fapi2Choice): SuiteClients {
  return async (services, alias, base) => {
    const [first, second] = [await fresh(services), await fresh(services)]
    const register = (name: string, redirectUri: string, key: KeyMaterial) =>
      registerOne(services, name, redirectUri, key, choice)
    return {
      members: {
        client: await register(`${alias} 1`, `${base}/callback`, first),
        client2: await register(`${alias} 2`, `${base}/callback?dummy1=lorem&dummy2=ipsum`, second),
        mtls: certificate(first),
        mtls2: certificate(second),
        resource: { resourceUrl: `${services.settings.issuer}/userinfo` },
      },
    }
  }
}

function fresh({ clock }: Services): Promise<KeyMaterial> {
  return generateSigningKey('PS256', clock.now())
}

async function registerOne(
  { clients }: Services,
  name: string,
  redirectUri: string,
  { publicJwk, privateJwk }: KeyMaterial,
  { clientAuth, senderConstrain, signed }: Fapi2Choice,
): Promise<object> {
  const { client } = await clients.register({
    name: `Conformance ${name}`,
    type: 'web',
    profile: 'fapi2',
    refresh_tokens: 'always',
    redirect_uris: [redirectUri],
    metadata: {
      token_endpoint_auth_method: clientAuth === 'mtls' ? 'self_signed_tls_client_auth' : clientAuth,
      tls_client_certificate_bound_access_tokens: senderConstrain === 'mtls',
      id_token_signed_response_alg: 'PS256',
      jwks: { keys: [publicJwk] },
      ...(signed && { require_signed_request_object: true, authorization_signed_response_alg: 'PS256' }),
    },
  })
  return { client_id: client.id, scope: 'openid email', jwks: { keys: [privateJwk] }, dpop_signing_alg: 'ES256' }
}

function certificate({ publicJwk, privateJwk }: KeyMaterial): object {
  const body = publicJwk.x5c?.[0]?.replaceAll(/.{64}/g, '$&\n') ?? ''
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
    key: createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }),
  }
}
