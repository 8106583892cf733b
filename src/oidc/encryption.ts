import type { Configuration } from 'oidc-provider'
import { CONTENT_ENCRYPTION, KEY_ENCRYPTION } from '#core/clients/response-encryption.ts'

/** What answers may be encrypted with. Request objects are signed only: we have no key to encrypt to. */
export function encryptedWith(): NonNullable<Configuration['enabledJWA']> {
  return {
    idTokenEncryptionAlgValues: [...KEY_ENCRYPTION],
    idTokenEncryptionEncValues: [...CONTENT_ENCRYPTION],
    userinfoEncryptionAlgValues: [...KEY_ENCRYPTION],
    userinfoEncryptionEncValues: [...CONTENT_ENCRYPTION],
    introspectionEncryptionAlgValues: [...KEY_ENCRYPTION],
    introspectionEncryptionEncValues: [...CONTENT_ENCRYPTION],
    authorizationEncryptionAlgValues: [...KEY_ENCRYPTION],
    authorizationEncryptionEncValues: [...CONTENT_ENCRYPTION],
    requestObjectEncryptionAlgValues: [],
    requestObjectEncryptionEncValues: [],
  }
}
