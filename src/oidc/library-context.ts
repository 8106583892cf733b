import type { Context } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'

/** What the protocol library knows of a request, for middleware around it; undefined where it has not taken the request. */
export function oidcOf(ctx: Context): KoaContextWithOIDC['oidc'] | undefined {
  // boundary: the library adds this to the context, whose type does not know it
  return (ctx as Context & Partial<Pick<KoaContextWithOIDC, 'oidc'>>).oidc
}
