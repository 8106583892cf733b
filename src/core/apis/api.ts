import type { DetailType } from './detail-type.ts'
import type { SigningAlgorithm } from '#core/signing-keys/algorithms.ts'

/** No access token for an API lives longer, in seconds: a JWT cannot be called back, and its key has to stay published. */
export const MAX_API_TOKEN_SECONDS = 86_400

/** An API (resource server) that access tokens may be asked for, as the rest of the house sees it. */
export interface Api {
  /** What clients name in `resource`, and what stands in `aud`: an absolute URI, compared character by character. */
  readonly identifier: string
  /** How people see it. */
  readonly name: string
  /** Sorted. */
  readonly scopes: readonly string[]
  /** What may be asked for there by authorization_details (RFC 9396). */
  readonly detailTypes: readonly DetailType[]
  /** jwt: signed, read by the API itself (RFC 9068); opaque: asked about at the introspection endpoint. */
  readonly format: 'jwt' | 'opaque'
  /** null: as long as any access token of this server. */
  readonly accessTokenSeconds: number | null
  /** What its JWTs are signed with. */
  readonly signingAlg: SigningAlgorithm
  readonly assignment: 'everyone' | 'clients'
  /** Ids of the clients that may get tokens for it when assignment is "clients", sorted. */
  readonly clients: readonly string[]
  /** Ids of the clients that the API itself asks the introspection endpoint as, sorted. */
  readonly introspectionClients: readonly string[]
  readonly createdAt: number
  readonly updatedAt: number
}

/** What an administrator decides about an API. */
export type ApiDraft = Omit<Api, 'createdAt' | 'updatedAt'>

/** May the client have tokens for the API? */
export function isOpenToClient(
  { assignment, clients }: Pick<Api, 'assignment' | 'clients'>,
  clientId: string,
): boolean {
  return assignment === 'everyone' || clients.includes(clientId)
}

/** An API as every door answers with it. */
export function apiJson(api: Api) {
  return {
    identifier: api.identifier,
    name: api.name,
    scopes: api.scopes,
    authorization_details_types: api.detailTypes,
    format: api.format,
    access_token_seconds: api.accessTokenSeconds,
    signing_alg: api.signingAlg,
    assignment: api.assignment,
    clients: api.clients,
    introspection_clients: api.introspectionClients,
    created_at: api.createdAt,
    updated_at: api.updatedAt,
  }
}
