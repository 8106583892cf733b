/**
 * Grants and remembered consent. The library keeps a Grant per session and client; we keep, beside it, what the person
 * allowed the client once, and build a Grant from that in the next session. First-party clients are granted what they
 * ask for, since an administrator vouches for them.
 */
import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { Consents } from '#core/consents/consents.ts'
import type { Secrets } from '#core/secrets.ts'
import { claimsToAllow } from './claim-consent.ts'
import { clientSettings } from './clients.ts'
import { coversResources, grantResources, requestedResources, type ResourceScopes } from './resource-consent.ts'

/** Claims that tell of the token and the sign-in, not of the person: never asked for at consent. */
export const NOT_ASKED_FOR = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss'])

export interface GrantNeeds {
  readonly consents: Consents
  readonly secrets: Pick<Secrets, 'keyedDigest'>
}

export function loadExistingGrant({ consents, secrets }: GrantNeeds) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { oidc } = ctx
    const { account, client, session } = oidc
    if (!account || !client) return undefined

    const grantId = oidc.result?.consent?.grantId ?? session?.grantIdFor(client.clientId)
    const grant = grantId === undefined ? undefined : await oidc.provider.Grant.find(grantId)
    // a grant of somebody who was signed in before in this browser is not this person's
    const own = grant?.accountId === account.accountId && grant.clientId === client.clientId ? grant : undefined
    if (oidc.result?.consent) return own

    const allowed = await allowedBefore(ctx, consents)
    if (!allowed || covers(own, allowed)) return own
    const extended = own ?? (await newGrant(ctx, account.accountId, client.clientId, secrets))
    if (allowed.scopes.length > 0) extended.addOIDCScope(allowed.scopes.join(' '))
    extended.addOIDCClaims([...allowed.claims])
    grantResources(extended, allowed.resources)
    await extended.save()
    return extended
  }
}

/**
 * A grant whose id follows from the session as the request found it: tabs of one browser that come at the same moment
 * get one grant. Each with its own, the last to save the session would end the tokens of the others.
 */
async function newGrant(
  { oidc: { provider, session } }: KoaContextWithOIDC,
  accountId: string,
  clientId: string,
  secrets: GrantNeeds['secrets'],
): Promise<Grant> {
  const grant = new provider.Grant({ accountId, clientId })
  if (!session) return grant
  const before = session.grantIdFor(clientId) ?? null
  grant.jti = secrets.keyedDigest('session-grant', JSON.stringify([session.jti, accountId, clientId, before]))
  return (await provider.Grant.find(grant.jti)) ?? grant
}

interface Allowed {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: ResourceScopes
}

/** Of what is asked now, the part that needs no question. */
async function allowedBefore(ctx: KoaContextWithOIDC, consents: Consents): Promise<Allowed | undefined> {
  const { oidc } = ctx
  const { account, client } = oidc
  if (!account || !client) return undefined
  const asked: Allowed = {
    scopes: [...oidc.requestParamOIDCScopes],
    claims: [...oidc.requestParamClaims, ...claimsToAllow(ctx)].filter((claim) => !NOT_ASKED_FOR.has(claim)),
    resources: requestedResources(ctx),
  }
  const { firstParty } = clientSettings(client)
  const remembered = firstParty ? asked : await consents.find(account.accountId, client.clientId)
  if (!remembered) return undefined
  const scopes = asked.scopes.filter((scope) => remembered.scopes.includes(scope))
  const claims = asked.claims.filter((claim) => remembered.claims.includes(claim))
  const resources = inBoth(asked.resources, remembered.resources)
  return scopes.length === 0 && Object.keys(resources).length === 0 ? undefined : { scopes, claims, resources }
}

function inBoth(asked: ResourceScopes, remembered: ResourceScopes): ResourceScopes {
  return Object.fromEntries(
    Object.entries(asked).flatMap(([api, scopes]) => {
      const allowed = remembered[api]
      return allowed ? [[api, scopes.filter((scope) => allowed.includes(scope))]] : []
    }),
  )
}

function covers(grant: Grant | undefined, { scopes, claims, resources }: Allowed): boolean {
  if (!grant) return false
  const granted = new Set(grant.getOIDCScope().split(' '))
  const grantedClaims = new Set(grant.getOIDCClaims())
  return (
    scopes.every((scope) => granted.has(scope)) &&
    claims.every((claim) => grantedClaims.has(claim)) &&
    coversResources(grant, resources)
  )
}
