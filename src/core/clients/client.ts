import type { Account } from '#core/accounts/account.ts'
import type { ClaimRule } from '#core/custom-claims/claim-rules.ts'

/** A relying party as the rest of the house sees it. */
export interface Client {
  readonly id: string
  readonly name: string
  readonly type: ClientType
  /** Registered metadata in its RFC 7591 spelling, without client_id, client_name and client_secret. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Set for confidential clients; never printed, see `clientJson`. */
  readonly secret: string | undefined
  /** The secret before it, while a rotation lets it hold: it authenticates, and signs nothing. Never printed. */
  readonly previousSecret?: { readonly secret: string; readonly expiresAt: number } | undefined
  readonly firstParty: boolean
  readonly assignment: ClientAssignment
  /** Names of the groups it is open to when assignment is "groups", sorted. */
  readonly groups: readonly string[]
  readonly requirePkce: boolean
  /** full: claims by scope stand in the ID token too; strict: only at userinfo (OpenID Connect Core 1.0 §5.4). */
  readonly idTokenClaims: IdTokenClaims
  readonly refreshTokens: RefreshTokens
  /** Claims that it is given beyond those of its scopes. */
  readonly claims: readonly ClaimRule[]
  /**
   * Who vouches for what is said about it: an administrator, or nobody, since the software registered itself. The
   * person who is asked for consent is told.
   */
  readonly origin: ClientOrigin
  /** The token that it registered itself with (core/registration), if there was one. */
  readonly registrationTokenId?: string | undefined
  /** What is demanded of it beyond its type's rules, see fapi2.ts. */
  readonly profile: ClientProfile
  readonly disabled: boolean
  readonly createdAt: number
  readonly updatedAt: number
}

export const CLIENT_TYPES = ['web', 'spa', 'native', 'service'] as const
export type ClientType = (typeof CLIENT_TYPES)[number]

export const CLIENT_ASSIGNMENTS = ['everyone', 'groups'] as const
export type ClientAssignment = (typeof CLIENT_ASSIGNMENTS)[number]

export const ID_TOKEN_CLAIMS = ['full', 'strict'] as const
export type IdTokenClaims = (typeof ID_TOKEN_CLAIMS)[number]

/** When it gets one: with the scope of this name, always, or never. */
export const REFRESH_TOKENS = ['offline_access', 'always', 'never'] as const
export type RefreshTokens = (typeof REFRESH_TOKENS)[number]

export const CLIENT_ORIGINS = ['administrator', 'dynamic', 'metadata_document'] as const
export type ClientOrigin = (typeof CLIENT_ORIGINS)[number]

export const CLIENT_PROFILES = ['none', 'fapi2'] as const
export type ClientProfile = (typeof CLIENT_PROFILES)[number]

/** What the house decides about a client, beside its metadata. */
export type ClientSettings = Pick<
  Client,
  | 'type'
  | 'firstParty'
  | 'assignment'
  | 'groups'
  | 'requirePkce'
  | 'idTokenClaims'
  | 'refreshTokens'
  | 'claims'
  | 'origin'
  | 'profile'
>

/** What an administrator decides about a client; the rest (id, secret, times) is the house's. */
export interface ClientDraft extends ClientSettings {
  readonly name: string
  /** The metadata that was given, without what the type's preset adds. */
  readonly registered: Readonly<Record<string, unknown>>
}

/** May the person use the client? Everyone may, or the members of one of its groups. */
export function isOpenTo(client: Pick<Client, 'assignment' | 'groups'>, account: Pick<Account, 'groups'>): boolean {
  return client.assignment === 'everyone' || client.groups.some((group) => account.groups.includes(group))
}
