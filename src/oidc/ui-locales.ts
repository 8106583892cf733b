import type { Context, Middleware } from 'koa'
import { askedLocale, askForLanguage } from '#platform/http/language.ts'
import { oidcOf } from './library-context.ts'

const NAME = 'ui_locales'

/**
 * Has the pages of the protocol endpoints speak the language of `ui_locales` (OpenID Connect Core 1.0 §3.1.2.1,
 * RP-Initiated Logout 1.0 §2), wherever the library found it: in the address, in the body, in a request object or
 * a pushed request. What the library knows of a logout ends before its last page, which is told in its address.
 */
export const uiLocales: Middleware = (ctx, next) => {
  askForLanguage(ctx, () => oidcOf(ctx)?.params?.[NAME] ?? ctx.query[NAME])
  return ctx.path === '/logout/confirm' ? next().then(() => handOn(ctx)) : next()
}

/** To the last page of a logout. */
function handOn(ctx: Context): void {
  if (ctx.status !== 303) return
  const location = ctx.response.get('Location')
  const [address] = location.split('?', 1)
  // an application's own address is left as it was registered
  if (address === oidcOf(ctx)?.urlFor('end_session_success')) ctx.set('Location', withLocale(ctx, location))
}

/** The address, with the language that was asked for; never with what was sent. */
export function withLocale(ctx: Pick<Context, 'req'>, address: string): string {
  const locale = askedLocale(ctx)
  if (locale === undefined) return address
  const url = new URL(address)
  url.searchParams.set(NAME, locale)
  return url.href
}
