import type { AccountClaims, Account as LibraryAccount, FindAccount, KoaContextWithOIDC } from 'oidc-provider'
import type { Accounts } from '#core/accounts/accounts.ts'
import type { Account } from '#core/accounts/account.ts'
import { isOpenTo } from '#core/clients/client.ts'
import { forRelease, grantedRules } from './claim-release.ts'
import { claimsOf } from './claims.ts'
import { clientSettings } from './clients.ts'

/** What the library carries about the person through one request. */
interface ProtocolAccount extends LibraryAccount {
  readonly person: Account
}

/** Our account inside the library's, where the library's came from `findAccount`. */
export function accountOf(account: LibraryAccount | undefined): Account | undefined {
  // boundary: the library hands back what findAccount gave it
  return (account as ProtocolAccount | undefined)?.person
}

/**
 * The person behind a `sub`, or undefined where they may not have tokens (any more): deleted, disabled, or, at the
 * token and userinfo endpoints, no longer among those that the client is assigned to.
 */
export function findAccount({ accounts }: { readonly accounts: Pick<Accounts, 'findById'> }): FindAccount {
  return async (ctx, sub, token): Promise<ProtocolAccount | undefined> => {
    const account = await accounts.findById(sub)
    if (!account || account.disabled) return undefined
    const client = ctx.oidc.client && clientSettings(ctx.oidc.client)
    // at the authorization endpoint (no token yet) the policy shows a page instead
    if (token && client && !isOpenTo(client, account)) return undefined

    return {
      accountId: account.id,
      person: account,
      async claims(use, scope, requested): Promise<AccountClaims> {
        const strict = use === 'id_token' && client?.idTokenClaims === 'strict' && hasUserinfo(ctx)
        const claims = strict ? namedClaims(account, requested) : claimsOf(account)
        if (!client || !ctx.oidc.client) return claims
        return forRelease(claims, {
          account,
          clientId: ctx.oidc.client.clientId,
          place: use === 'id_token' ? 'id_token' : 'userinfo',
          rules: grantedRules(ctx, client, { strict, scope, token }),
        })
      },
    }
  }
}

/** Without an access token the ID token is all that there is, so it holds the claims (OpenID Connect Core 1.0 §5.4). */
function hasUserinfo({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.params?.['response_type'] !== 'id_token'
}

/** OpenID Connect Core 1.0 §5.4: with a userinfo endpoint to ask, only what was named for the ID token. */
function namedClaims(account: Account, requested: object): AccountClaims {
  const all = claimsOf(account)
  const named = Object.entries(all).filter(([claim]) => claim in requested)
  return { ...Object.fromEntries(named), sub: all.sub }
}
