/** How clients authenticate at the token endpoint (RFC 7591 §2, OpenID Connect Core 1.0 §9). */

/** With the secret that we made; the first is what a client gets that asks for none. */
export const SECRET_METHODS = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const
/** With a key of the client's own. */
export const KEY_METHODS = ['private_key_jwt'] as const

export const CONFIDENTIAL_METHODS = [...SECRET_METHODS, ...KEY_METHODS] as const
export const AUTH_METHODS = [...CONFIDENTIAL_METHODS, 'none'] as const
