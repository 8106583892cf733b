/**
 * Access tokens for APIs: what `resource` (RFC 8707) may name, what such a token looks like, and who may ask about it.
 * The store is read in each request that names an API, once, so that a change holds at once.
 *
 * A token request without `resource` gets the token for userinfo, as long as `openid` is among its scopes: a token has
 * one audience, and a person's application needs both kinds.
 */
import {
  errors,
  type AccessToken,
  type Client,
  type ClientCredentials,
  type Configuration,
  type KoaContextWithOIDC,
  type RefreshToken,
  type ResourceServer,
} from 'oidc-provider'
import type { Accounts } from '#core/accounts/accounts.ts'
import { isOpenToClient, type Api } from '#core/apis/api.ts'
import type { Apis } from '#core/apis/apis.ts'
import { isOpenTo } from '#core/clients/client.ts'
import { attached } from '#platform/attached.ts'
import { clientSettings } from './clients.ts'
import { refuseOtherSignatures } from './fapi2.ts'
import type { KeyCheck } from './signing.ts'

type ApiLookup = Pick<Apis, 'find'>

export interface Resources {
  readonly feature: NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>
  /**
   * Refuses a refresh for an API that it cannot be for. The library would find out after the refresh token is used up,
   * and the client would have lost it for a mistake in another parameter. @throws errors.InvalidTarget
   */
  checkRefresh(ctx: KoaContextWithOIDC): Promise<void>
}

/** What the library has to know of APIs. */
export function resources(apis: ApiLookup, keysAreHere: KeyCheck): Resources {
  const loaded = attached<Map<string, Promise<Api | undefined>>>()
  const find = (ctx: KoaContextWithOIDC, identifier: string): Promise<Api | undefined> => {
    const ofRequest = loaded.of(ctx) ?? new Map<string, Promise<Api | undefined>>()
    loaded.to(ctx, ofRequest)
    const api = ofRequest.get(identifier) ?? apis.find(identifier)
    ofRequest.set(identifier, api)
    return api
  }

  const getResourceServerInfo = async (
    ctx: KoaContextWithOIDC,
    identifier: string,
    client: Client,
  ): Promise<ResourceServer> => {
    const api = await find(ctx, identifier)
    // one answer for both: which APIs there are is not for every client to know
    if (!api || !isOpenToClient(api, client.clientId))
      throw new errors.InvalidTarget('no API is registered as this resource for this client')
    refuseOtherSignatures(client, api)
    refuseUnknownScopes(ctx, api)
    await keysAreHere([api.signingAlg])
    return resourceServerOf(api)
  }

  return {
    feature: {
      enabled: true,
      getResourceServerInfo,
      defaultResource: noResource,
      useGrantedResource: async () => false,
    },
    async checkRefresh(ctx) {
      const { client, entities } = ctx.oidc
      const target = entities.RefreshToken && targetOf(ctx, entities.RefreshToken)
      if (target === undefined || !client) return
      if (Array.isArray(target)) throw new errors.InvalidTarget('name one resource for each access token')
      if (![entities.RefreshToken?.resource].flat().includes(target))
        throw new errors.InvalidTarget('the resource was not granted')
      await getResourceServerInfo(ctx, target, client)
    },
  }
}

/** How long an access token lives, in seconds: as its API says, or else as long as any. */
export function accessTokenSeconds(byDefault: number) {
  return (_ctx: unknown, { resourceServer }: Pick<AccessToken | ClientCredentials, 'resourceServer'>): number =>
    resourceServer?.accessTokenTTL ?? byDefault
}

/**
 * RFC 7662 §4: a token's content is for the client it was issued to, and for the API it was issued for. A token for an
 * API that is gone, or closed to its client by now, is not active for anybody, nor is one of a person who may not use
 * the client any more.
 */
export function introspectionPolicy(apis: ApiLookup, accounts: Pick<Accounts, 'findById'>) {
  return async (
    ctx: KoaContextWithOIDC,
    { clientId }: Client,
    token: AccessToken | ClientCredentials | RefreshToken,
  ): Promise<boolean> => {
    if (!(await isStillAllowed(ctx, token, accounts))) return false
    const isOwn = token.clientId === clientId
    if (token.kind === 'RefreshToken' || token.aud === undefined) return isOwn
    const api = typeof token.aud === 'string' ? await apis.find(token.aud) : undefined
    if (!api || token.clientId === undefined || !isOpenToClient(api, token.clientId)) return false
    return isOwn || api.introspectionClients.includes(clientId)
  }
}

async function isStillAllowed(
  { oidc }: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials | RefreshToken,
  accounts: Pick<Accounts, 'findById'>,
): Promise<boolean> {
  if (!('accountId' in token)) return true
  const account = await accounts.findById(token.accountId)
  const client = await oidc.provider.Client.find(token.clientId ?? '')
  return account !== undefined && !account.disabled && client !== undefined && isOpenTo(clientSettings(client), account)
}

function resourceServerOf(api: Api): ResourceServer {
  return {
    audience: api.identifier,
    scope: api.scopes.join(' '),
    accessTokenFormat: api.format,
    ...(api.accessTokenSeconds === null ? {} : { accessTokenTTL: api.accessTokenSeconds }),
    // without a kid the library takes the key that signs now
    ...(api.format === 'jwt' ? { jwt: { sign: { alg: api.signingAlg } } } : {}),
  }
}

/** The library's own choice (its lib/helpers/resolve_resource.js), before it acts on it. */
function targetOf({ oidc }: KoaContextWithOIDC, token: RefreshToken): string | string[] | undefined {
  const asked = oidc.params?.['resource']
  if (typeof asked === 'string' && asked !== '') return asked
  if (Array.isArray(asked)) return asked.map(String)
  const scopes = oidc.params?.['scope'] ? oidc.requestParamScopes : new Set(token.scope?.split(' '))
  return scopes.has('openid') ? undefined : token.resource
}

/** A service speaks to one API about its scopes and nothing else, so a scope it does not have is a mistake (RFC 6749 §5.2). */
function refuseUnknownScopes({ oidc }: KoaContextWithOIDC, { scopes }: Api): void {
  if (oidc.params?.['grant_type'] !== 'client_credentials') return
  const unknown = [...oidc.requestParamScopes].filter((scope) => !scopes.includes(scope))
  if (unknown.length > 0) throw new errors.InvalidScope('the API has no such scope', unknown.join(' '))
}

/** Without a person there is no userinfo, so a scope could only be a permission at an API, and none was named (RFC 6749 §4.4). */
async function noResource(
  { oidc }: KoaContextWithOIDC,
  _client: Client,
  oneOf?: readonly string[],
): Promise<string | string[]> {
  const { grant_type: grantType, scope } = oidc.params ?? {}
  if (grantType === 'client_credentials' && typeof scope === 'string')
    throw new errors.InvalidScope('a scope is given by an API: name it by resource', scope)
  // a token from the authorization endpoint: the library asks which API it is for, of none that were named
  if (oneOf?.length === 0) return ''
  return oneOf ? [...oneOf] : []
}
