/** How clients authenticate at the token endpoint (RFC 7591 §2, OpenID Connect Core 1.0 §9, RFC 8705 §2). */

/** With the secret that we made; the first is what a client gets that asks for none. */
export const SECRET_METHODS = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const
/** With a certificate; offered where one can reach the server. */
const CERTIFICATE_METHODS = ['self_signed_tls_client_auth', 'tls_client_auth'] as const
/** With a key of the client's own that it registers. */
export const KEY_METHODS = ['private_key_jwt', 'self_signed_tls_client_auth'] as const

/** Those that every server offers. */
export const OFFERED_METHODS = [...SECRET_METHODS, 'private_key_jwt', 'none'] as const
export const CONFIDENTIAL_METHODS = [...SECRET_METHODS, 'private_key_jwt', ...CERTIFICATE_METHODS] as const
export const AUTH_METHODS = [...CONFIDENTIAL_METHODS, 'none'] as const
