/**
 * The metadata that a client may register, in the spelling of RFC 7591 §2 and OpenID Connect Dynamic Client
 * Registration 1.0 §2. The set is closed: a member that we would not act on, or that would loosen something, is refused
 * by its name instead of being kept in silence. What is ours and not a client's to say (first_party, assignment,
 * groups, require_pkce …) is no metadata.
 */
import { z } from 'zod'
import { UNPRINTABLE } from '#core/accounts/line.ts'
import { TOKEN_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import { AUTH_METHODS } from './auth-methods.ts'
import { DELIVERY_MODES, DELIVERY_WORDS } from './backchannel-grant.ts'
import { isDistinguishedName } from './distinguished-name.ts'
import { publicKeySet } from './client-keys.ts'
import { CONTENT_ENCRYPTION, KEY_ENCRYPTION } from './response-encryption.ts'
import { normalResponseType } from './response-flows.ts'
import { isOfferedScope, OFFERED_SCOPES } from './scopes.ts'
import { calledAddressProblem, shownUri, webAddressProblem } from './web-address.ts'

const MAX_NAME_LENGTH = 256
const TEN_YEARS_SECONDS = 315_360_000

/** A name that is shown to people: trimmed, one line, nothing invisible that could pass it off as another. */
export const shownName = z
  .string('A name is text.')
  .trim()
  .min(1, 'A name has at least one character.')
  .max(MAX_NAME_LENGTH, `A name has at most ${MAX_NAME_LENGTH} characters.`)
  .refine((name) => !UNPRINTABLE.test(name), 'A name may not contain control characters or line breaks.')

/** Judged by type in redirect-uri.ts; here only made a list without repetitions. */
export const uriList = z
  .array(z.string('A URI is text.'), 'A list of URIs was expected.')
  .transform((uris) => [...new Set(uris)])

export const scopeList = z
  .string('Scopes are one text, separated by spaces.')
  .transform((text) => [...new Set(text.split(' ').filter((scope) => scope !== ''))])
  .superRefine((scopes, context) => {
    const unknown = scopes.filter((scope) => !isOfferedScope(scope))
    const offered = `the server offers ${OFFERED_SCOPES.join(' ')}`
    if (scopes.length === 0) context.addIssue(`Name at least one scope; ${offered}.`)
    if (unknown.length > 0)
      context.addIssue(`Unknown scope ${unknown.map((scope) => shownUri(scope)).join(', ')}; ${offered}.`)
  })
  .transform((scopes) => scopes.join(' '))

const webAddress = z.string('A URI is text.').superRefine((uri, context) => {
  const problem = webAddressProblem(uri)
  if (problem !== undefined) context.addIssue(`${shownUri(uri)} ${problem}.`)
})
/** Called by the server itself; where it may reach is decided when it calls. */
export const calledAddress = z.string('A URI is text.').superRefine((uri, context) => {
  const problem = calledAddressProblem(uri)
  if (problem !== undefined) context.addIssue(`${shownUri(uri)} ${problem}.`)
})
/** Called, too; its fragment may be the hash of what stands there (OpenID Connect Core 1.0 §6.2). */
const requestAddress = z.string('A URI is text.').superRefine((uri, context) => {
  const problem = calledAddressProblem(uri.replace(/#[\w-]*$/, ''))
  if (problem !== undefined) context.addIssue(`${shownUri(uri)} ${problem}.`)
})
const responseTypes = z
  .array(z.string('A response type is text.').max(256), 'A list of response types was expected.')
  .max(20)
  .transform((types) => [...new Set(types.map(normalResponseType))])
const signingAlgorithm = z.enum(TOKEN_ALGORITHMS)
export const deliveryMode = z.enum(DELIVERY_MODES, DELIVERY_WORDS)
const keyEncryption = z.enum(KEY_ENCRYPTION)
const contentEncryption = z.enum(CONTENT_ENCRYPTION)
const words = z.array(z.string().min(1).max(256)).max(20)

const certificateName = z
  .string()
  .regex(/^[\x20-\x7e]{1,512}$/, 'A name in a certificate is text of one line, without accents.')

/** null takes a member away again (update). */
export const clientMetadata = z
  .strictObject({
    client_name: shownName,
    redirect_uris: uriList,
    post_logout_redirect_uris: uriList,
    scope: scopeList,
    client_uri: webAddress.nullable(),
    logo_uri: webAddress.nullable(),
    policy_uri: webAddress.nullable(),
    tos_uri: webAddress.nullable(),
    initiate_login_uri: webAddress.nullable(),
    backchannel_logout_uri: calledAddress.nullable(),
    backchannel_logout_session_required: z.boolean().nullable(),
    backchannel_token_delivery_mode: deliveryMode.nullable(),
    backchannel_client_notification_endpoint: webAddress.nullable(),
    backchannel_authentication_request_signing_alg: signingAlgorithm.nullable(),
    contacts: z.array(z.email('A contact is an e-mail address.')).max(20).nullable(),
    application_type: z.enum(['web', 'native']).nullable(),
    token_endpoint_auth_method: z.enum(AUTH_METHODS).nullable(),
    token_endpoint_auth_signing_alg: z.enum(TOKEN_ALGORITHMS).nullable(),
    tls_client_auth_subject_dn: certificateName
      .refine(isDistinguishedName, 'This is not the name of a subject as RFC 4514 writes it.')
      .nullable(),
    tls_client_auth_san_dns: certificateName.nullable(),
    tls_client_auth_san_uri: certificateName.nullable(),
    tls_client_auth_san_ip: z.union([z.ipv4(), z.ipv6()], 'This is not an IP address.').nullable(),
    tls_client_auth_san_email: certificateName.nullable(),
    tls_client_certificate_bound_access_tokens: z.boolean().nullable(),
    dpop_bound_access_tokens: z.boolean().nullable(),
    grant_types: words.nullable(),
    response_types: responseTypes.nullable(),
    id_token_signed_response_alg: signingAlgorithm.nullable(),
    userinfo_signed_response_alg: signingAlgorithm.nullable(),
    introspection_signed_response_alg: signingAlgorithm.nullable(),
    authorization_signed_response_alg: signingAlgorithm.nullable(),
    id_token_encrypted_response_alg: keyEncryption.nullable(),
    id_token_encrypted_response_enc: contentEncryption.nullable(),
    userinfo_encrypted_response_alg: keyEncryption.nullable(),
    userinfo_encrypted_response_enc: contentEncryption.nullable(),
    introspection_encrypted_response_alg: keyEncryption.nullable(),
    introspection_encrypted_response_enc: contentEncryption.nullable(),
    authorization_encrypted_response_alg: keyEncryption.nullable(),
    authorization_encrypted_response_enc: contentEncryption.nullable(),
    request_object_signing_alg: signingAlgorithm.nullable(),
    request_uris: z.array(requestAddress).max(20).nullable(),
    require_signed_request_object: z.boolean().nullable(),
    require_pushed_authorization_requests: z.boolean().nullable(),
    jwks: publicKeySet.nullable(),
    jwks_uri: calledAddress.nullable(),
    subject_type: z.enum(['public', 'pairwise']).nullable(),
    sector_identifier_uri: webAddress.nullable(),
    default_max_age: z.int().min(0).max(TEN_YEARS_SECONDS).nullable(),
    require_auth_time: z.boolean().nullable(),
    /** Not in the registry of RFC 7591: refuse sign-ins without `nonce`. */
    require_nonce: z.boolean().nullable(),
    authorization_details_types: words.nullable(),
    default_acr_values: words.nullable(),
  })
  .partial()
