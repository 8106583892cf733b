/**
 * What each type of client is, in the words of RFC 7591. A client's row keeps only what was registered; the preset of
 * its type is laid under it whenever it is read, so that a preset made safer is safer for every client at once.
 */
import { CONFIDENTIAL_METHODS } from './auth-methods.ts'
import { CIBA_GRANT } from './backchannel-grant.ts'
import type { ClientDraft, ClientType } from './client.ts'
import { DEVICE_GRANT } from './device-grant.ts'
import { underFapi2 } from './fapi2.ts'
import { FRONT_CHANNEL_RESPONSE_TYPES, grantsFor, IMPLICIT_GRANT, possibleWith } from './response-flows.ts'
import { OFFERED_SCOPES } from './scopes.ts'

export interface Preset {
  readonly applicationType: 'web' | 'native'
  /** The first is what a client gets that asks for none. */
  readonly authMethods: readonly ['none'] | typeof CONFIDENTIAL_METHODS
  /** What a client gets that asks for none; the first is what the type is about. */
  readonly grantTypes: readonly [string, ...string[]]
  /** What it may ask for besides. */
  readonly furtherGrantTypes: readonly string[]
  /** What a client gets that asks for none, as far as its grant types allow. */
  readonly responseTypes: readonly string[]
  /** What it may ask for besides. */
  readonly furtherResponseTypes: readonly string[]
}

const CODE_FLOW = { grantTypes: ['authorization_code', 'refresh_token'], responseTypes: ['code'] } as const

export const PRESETS: Readonly<Record<ClientType, Preset>> = {
  web: {
    applicationType: 'web',
    authMethods: CONFIDENTIAL_METHODS,
    ...CODE_FLOW,
    furtherGrantTypes: [DEVICE_GRANT, CIBA_GRANT, IMPLICIT_GRANT],
    furtherResponseTypes: FRONT_CHANNEL_RESPONSE_TYPES,
  },
  spa: { applicationType: 'web', authMethods: ['none'], ...CODE_FLOW, furtherGrantTypes: [], furtherResponseTypes: [] },
  native: {
    applicationType: 'native',
    authMethods: ['none'],
    ...CODE_FLOW,
    furtherGrantTypes: [DEVICE_GRANT],
    furtherResponseTypes: [],
  },
  service: {
    applicationType: 'web',
    authMethods: CONFIDENTIAL_METHODS,
    grantTypes: ['client_credentials'],
    furtherGrantTypes: [],
    responseTypes: [],
    furtherResponseTypes: [],
  },
}

/** True for types that can keep a secret, or a private key (RFC 6749 §2.1). */
export function isConfidential(type: ClientType): boolean {
  return PRESETS[type].authMethods[0] !== 'none'
}

/** True for types that send a person's browser to sign in. */
export function signsPeopleIn(type: ClientType): boolean {
  return PRESETS[type].responseTypes.length > 0
}

/** The response types that a client with these grant types may have: none without a flow that answers by redirect. */
export function responseTypesFor(type: ClientType, grantTypes: readonly unknown[]): readonly string[] {
  const { responseTypes, furtherResponseTypes } = PRESETS[type]
  return possibleWith(grantTypes, [...responseTypes, ...furtherResponseTypes])
}

/** The grant types that were registered, or those that the response types make of the type's own. */
export function grantTypesOf(type: ClientType, registered: Readonly<Record<string, unknown>>): readonly string[] {
  const { grantTypes, responseTypes: own } = PRESETS[type]
  const { grant_types: grants, response_types: responseTypes } = registered
  if (Array.isArray(grants)) return grants
  const named = Array.isArray(responseTypes) && responseTypes.length > 0 && own.length > 0
  return named ? grantsFor(responseTypes, grantTypes) : grantTypes
}

/** The whole of a client's metadata: its type's preset under what was registered, and its profile over it. */
export function wholeMetadata({
  type,
  refreshTokens,
  registered,
  profile,
}: Pick<ClientDraft, 'type' | 'refreshTokens' | 'registered' | 'profile'>): Record<string, unknown> {
  const preset = PRESETS[type]
  const grantTypes = grantTypesOf(type, registered)
  const whole = {
    application_type: preset.applicationType,
    token_endpoint_auth_method: preset.authMethods[0],
    response_types: possibleWith(grantTypes, preset.responseTypes),
    redirect_uris: [],
    post_logout_redirect_uris: [],
    ...(signsPeopleIn(type) ? { scope: OFFERED_SCOPES.join(' '), id_token_signed_response_alg: 'RS256' } : {}),
    ...registered,
    grant_types: grantTypes.filter((grant) => grant !== 'refresh_token' || refreshTokens !== 'never'),
  }
  return profile === 'fapi2' ? underFapi2(whole) : whole
}
