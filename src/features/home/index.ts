/** The page at the issuer's own address: says what this server is, and where developers find its metadata. */
import type { Middleware } from 'koa'
import type { Feature } from '#core/feature.ts'
import type { Services } from '#core/services.ts'
import { renderPage, view } from '#platform/http/render.ts'

interface HomePage {
  readonly issuer: string
  readonly discoveryUrl: string
}

const page = view<HomePage>('home/home')

export const home: Feature = { word: 'home', routes: homeRoutes }

function homeRoutes({ settings: { issuer } }: Services): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/' || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next()
    await renderPage(
      ctx,
      page,
      { title: 'Identity provider', lang: 'en' },
      { issuer, discoveryUrl: `${issuer}/.well-known/openid-configuration` },
    )
  }
}
