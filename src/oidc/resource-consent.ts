/**
 * What a person grants at APIs. The library asks only for scopes, so that an application could get a token for an API
 * (whose audience alone may open doors there) without a question as long as it asked for no scope. Here an API is
 * granted by itself, and scopes on top of it.
 */
import { interactionPolicy, type Grant, type KoaContextWithOIDC } from 'oidc-provider'
import { z } from 'zod'
import type { Apis } from '#core/apis/apis.ts'
import type { AskedConsent, AskedResource } from '#core/sign-in-steps.ts'

/** Scopes at APIs, by the API's identifier. */
export type ResourceScopes = Readonly<Record<string, readonly string[]>>

/** Stands among the API's scopes in a grant; a backslash is in no scope (RFC 6749 §3.3), so it can never be asked for. */
const USE = '\\use'

/** Lets the client have tokens for the APIs, with these scopes. The grant is not saved. */
export function grantResources(grant: Grant, resources: ResourceScopes): void {
  for (const [identifier, scopes] of Object.entries(resources)) grant.addResourceScope(identifier, [USE, ...scopes])
}

/** Puts all that the person allowed into the grant. It is not saved. */
export function grantAsked(grant: Grant, { scopes, claims, resources }: AskedConsent): void {
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
  grant.addOIDCClaims([...claims])
  grantResources(grant, scopesByApi(resources))
}

/** Scopes at APIs, as they are granted and remembered. */
export function scopesByApi(resources: readonly AskedResource[]): ResourceScopes {
  return Object.fromEntries(resources.map(({ identifier, scopes }) => [identifier, scopes]))
}

export function coversResources(grant: Grant, resources: ResourceScopes): boolean {
  return Object.entries(resources).every(([identifier, scopes]) => {
    const granted = new Set(grant.getResourceScope(identifier).split(' '))
    return [USE, ...scopes].every((scope) => granted.has(scope))
  })
}

/** The APIs of an authorization request, each with those of the requested scopes that it has. */
export function requestedResources({ oidc }: KoaContextWithOIDC): ResourceScopes {
  return Object.fromEntries(
    Object.entries(oidc.resourceServers ?? {}).map(([identifier, { scopes }]) => [
      identifier,
      [...oidc.requestParamScopes].filter((scope) => scopes.has(scope)),
    ]),
  )
}

/** Asks for consent where an API is requested that was not granted yet; the library's check does so for its scopes. */
export function apiGranted(): interactionPolicy.Check {
  const missing = ({ oidc: { grant, resourceServers } }: KoaContextWithOIDC): string[] =>
    Object.keys(resourceServers ?? {}).filter((identifier) => !grant || !coversResources(grant, { [identifier]: [] }))
  return new interactionPolicy.Check(
    'rs_missing',
    'requested APIs not granted',
    'consent_required',
    (ctx) => missing(ctx).length > 0,
    (ctx) => ({ missingResources: missing(ctx) }),
  )
}

const missingShape = z.object({
  missingResources: z.array(z.string()).default([]),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
})
const requestShape = z.object({
  scope: z.string().default(''),
  resource: z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([]),
})

/** Identifiers of the APIs that a consent is missing for. */
export function missingApis(details: Readonly<Record<string, unknown>>): readonly string[] {
  const { missingResources, missingResourceScopes } = missingShape.parse(details)
  return [...new Set([...missingResources, ...Object.keys(missingResourceScopes)])]
}

/** The APIs of a request, in words for the consent page. One that is gone meanwhile is not asked for. */
export async function apisInWords(
  apis: Pick<Apis, 'find'>,
  params: Readonly<Record<string, unknown>>,
  only?: readonly string[],
): Promise<AskedResource[]> {
  const { scope, resource } = requestShape.parse(params)
  const requested = new Set(scope.split(' '))
  const found = await Promise.all([...new Set(only ?? resource)].map((identifier) => apis.find(identifier)))
  return found.flatMap((api) =>
    api ? [{ identifier: api.identifier, name: api.name, scopes: api.scopes.filter((one) => requested.has(one)) }] : [],
  )
}
