import type { Middleware } from 'koa'
import { readForm } from '#platform/http/forms.ts'
import { onPaths } from '#platform/http/on-paths.ts'

const TAKE_POST = new Set(['/authorize', '/logout'])

/**
 * Takes authorization and logout requests by POST too, as OpenID Connect Core 1.0 §3.1.2.1 and RP-Initiated Logout 1.0
 * §2 demand. Browsers leave SameSite=Lax cookies out of a form that another site posts, so the answer is the same
 * request by GET, which carries them; the library's own way would need SameSite=None.
 */
export const postedRequests: Middleware = onPaths(TAKE_POST, async (ctx, next) => {
  if (ctx.method !== 'POST') return next()
  const parameters = new URLSearchParams([
    ...new URLSearchParams(ctx.querystring),
    ...Object.entries(await readForm(ctx)),
  ])
  ctx.status = 303
  ctx.redirect(`?${parameters.toString()}`)
})
