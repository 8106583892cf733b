import type { Client, Configuration, Provider } from 'oidc-provider'
import { CONTENT_ENCRYPTION, KEY_ENCRYPTION } from '#core/clients/response-encryption.ts'
import type { Units } from '#platform/database/unit.ts'

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

const ALGORITHM_OF = {
  idtoken: 'idTokenEncryptedResponseAlg',
  logout: 'idTokenEncryptedResponseAlg',
  userinfo: 'userinfoEncryptedResponseAlg',
  introspection: 'introspectionEncryptedResponseAlg',
  authorization: 'authorizationEncryptedResponseAlg',
} as const

interface Issuing {
  readonly client: Client & { readonly asymmetricKeyStore: { stale(): boolean; refresh(): Promise<void> } }
  issue(this: Issuing, options: { readonly use: keyof typeof ALGORITHM_OF }): Promise<string>
}

/**
 * Keys at an address of the client's are waited for apart, whoever asks for them: of several answers to one client the
 * first calls the client's server, and the others wait for that call. The members are some that the library's types leave
 * out; test/flows/encrypted-answers.test.ts fails if they go away.
 */
export function waitForKeysApart({ IdToken }: Provider, { apart }: Pick<Units, 'apart'>): void {
  // boundary: see above
  const prototype = IdToken.prototype as unknown as Issuing
  const { issue } = prototype
  prototype.issue = async function (options) {
    const { asymmetricKeyStore: keys } = this.client
    if (this.client[ALGORITHM_OF[options.use]] !== undefined && keys.stale()) await apart(() => keys.refresh())
    return issue.call(this, options)
  }
}
