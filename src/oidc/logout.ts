import type { KoaContextWithOIDC } from 'oidc-provider'
import type { ProtocolPages } from '#core/feature.ts'
import { withLocale } from './ui-locales.ts'

/** The two pages of RP-Initiated Logout 1.0, in the shape that the library calls them. */
export interface LogoutPages {
  confirm(ctx: KoaContextWithOIDC, form: string): Promise<void>
  done(ctx: KoaContextWithOIDC): Promise<void>
}

/** The library's form stays its own (address and xsrf field); the page around it is the logout room's. */
export function logoutPages(pages: ProtocolPages): LogoutPages {
  return {
    async confirm(ctx) {
      const { session, client } = ctx.oidc
      const secret = session?.state?.['secret']
      if (typeof secret !== 'string' || session?.accountId === undefined)
        throw new Error('the library asked for a logout page without a session')
      await pages.confirmLogout(ctx, {
        action: withLocale(ctx, ctx.oidc.urlFor('end_session_confirm')),
        xsrf: secret,
        clientName: client?.clientName,
        accountId: session.accountId,
      })
    },

    async done(ctx) {
      const session = await ctx.oidc.provider.Session.get(ctx)
      await pages.signedOut(ctx, {
        clientName: ctx.oidc.client?.clientName,
        stillSignedIn: session.accountId !== undefined,
      })
    },
  }
}
