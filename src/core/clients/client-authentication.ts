/** The rules of a client's authentication: what its method needs, and what would contradict it. */
import type { Problems } from '#core/problems.ts'
import { isSigningAlgorithm } from '#core/signing-keys/algorithms.ts'
import { KEY_METHODS, SECRET_METHODS } from './auth-methods.ts'
import type { ClientDraft } from './client.ts'
import { certifies, signsWith } from './client-keys.ts'
import { wholeMetadata } from './presets.ts'
import { refusedClient } from './refused-client.ts'

const SUBJECT_MEMBERS = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
]

type Authenticating = Pick<ClientDraft, 'type' | 'refreshTokens' | 'registered' | 'profile'>

/** True where the client authenticates with a secret, and so has one. */
export function keepsSecret(client: Authenticating): boolean {
  return SECRET_METHODS.some((method) => method === methodOf(client))
}

export function methodOf(client: Authenticating): unknown {
  return wholeMetadata(client)['token_endpoint_auth_method']
}

/** One sentence, or undefined, for each member that authentication is about. */
export function authenticationProblems(client: Authenticating): Problems {
  return {
    jwks: keysProblem(client),
    tls_client_auth_subject_dn: subjectProblem(client),
    token_endpoint_auth_signing_alg: algorithmProblem(client),
  }
}

function keysProblem(client: Authenticating): string | undefined {
  const { jwks, jwks_uri: uri, token_endpoint_auth_signing_alg: alg } = client.registered
  if (!hasKeys(client)) return undefined
  if (jwks === undefined)
    return uri === undefined
      ? `${String(methodOf(client))} needs the public keys of the client: jwks, or jwks_uri.`
      : undefined
  if (uri !== undefined) return 'Keys are registered here or at jwks_uri, not in both places.'
  if (methodOf(client) === 'self_signed_tls_client_auth')
    return certifies(jwks) ? undefined : 'None of these keys brings its certificate (x5c).'
  const asked = isSigningAlgorithm(alg) ? alg : undefined
  return signsWith(jwks, asked) ? undefined : 'None of these keys can sign an assertion for this client.'
}

/** RFC 8705 §2.1.2: one name, of one kind. */
function subjectProblem(client: Authenticating): string | undefined {
  const given = SUBJECT_MEMBERS.filter((member) => client.registered[member] !== undefined)
  if (methodOf(client) !== 'tls_client_auth') return given.length === 0 ? undefined : unused(client)
  return given.length === 1 ? undefined : `tls_client_auth needs one of ${SUBJECT_MEMBERS.join(', ')}, and one only.`
}

function algorithmProblem(client: Authenticating): string | undefined {
  const alg = client.registered['token_endpoint_auth_signing_alg']
  const method = methodOf(client)
  if (typeof alg !== 'string') return undefined
  if (method === 'private_key_jwt')
    return isSigningAlgorithm(alg) ? undefined : `${alg} signs with a secret, and private_key_jwt with a key.`
  if (method === 'client_secret_jwt')
    return isSigningAlgorithm(alg) ? `${alg} signs with a key, and client_secret_jwt with the secret.` : undefined
  return unused(client)
}

/**
 * A client that came to keys has forgotten its secret, and a change cannot tell a new one.
 * @throws AppError(invalid_input)
 */
export function mustHaveKeptSecret(client: Authenticating, sealedSecret: string | undefined): void {
  if (!keepsSecret(client) || sealedSecret !== undefined) return
  throw refusedClient(
    { token_endpoint_auth_method: 'This client has no secret, and a change does not give it one.' },
    'Register a new client for it: latchkey client create …',
  )
}

function hasKeys(client: Authenticating): boolean {
  return KEY_METHODS.some((method) => method === methodOf(client))
}

function unused(client: Authenticating): string {
  return `A client that authenticates by ${String(methodOf(client))} has no use for it.`
}
