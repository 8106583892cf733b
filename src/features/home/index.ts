/**
 * The page at the issuer's own address: says what this server is, where developers find its metadata, and to whoever is
 * signed in whether something waits for their approval.
 */
import type { Middleware } from 'koa'
import type { Feature } from '#core/feature.ts'
import { approvalsPath } from '#core/issuer-paths.ts'
import type { Needs } from '#oidc/needs.ts'
import { onPaths } from '#platform/http/on-paths.ts'
import { renderPage, view } from '#platform/http/render.ts'
import type words from '#views/home/words.json'

interface HomePage {
  readonly issuer: string
  readonly discoveryUrl: string
  /** Where requests wait for the person, if any do. */
  readonly approvalsHref: string | undefined
}

const page = view<HomePage, typeof words>('home/home')

export const home: Feature<Needs> = { word: 'home', routes: homeRoutes }

function homeRoutes({ approvals, settings: { issuer } }: Needs): Middleware {
  return onPaths(new Set(['/']), async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next()
    const signedIn = await approvals.signedIn(ctx)
    const waiting = signedIn ? await approvals.list(signedIn.account) : []
    await renderPage(ctx, page, 'title', {
      issuer,
      discoveryUrl: `${issuer}/.well-known/openid-configuration`,
      approvalsHref: waiting.length > 0 ? approvalsPath(issuer) : undefined,
    })
  })
}
