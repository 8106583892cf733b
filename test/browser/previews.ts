import path from 'node:path'
import Koa from 'koa'
import { loadAssets } from '#platform/http/assets.ts'
import { language } from '#platform/http/language.ts'
import { renderPage, view, viewMiddleware } from '#platform/http/render.ts'
import { openWords, readCatalogues, type Words } from '#platform/http/words.ts'
import { samples } from './pages-preview.ts'

export const viewsDir = path.join(import.meta.dirname, '../../views')
export const assets = loadAssets(path.join(viewsDir, 'public'))

/** Serves each sample of pages-preview.ts under its label, in the language that the browser asks for. */
export function previews(words: Words = openWords(readCatalogues(viewsDir))): Koa {
  const app = new Koa()
  app.use(assets.middleware)
  app.use(language('en'))
  app.use(viewMiddleware({ dir: viewsDir, cache: true, assets, words }))
  app.use(async (ctx) => {
    const sample = samples.find(({ label }) => ctx.path === `/${label}`)
    if (sample) await renderPage(ctx, view(sample.view), sample.title, sample.model)
  })
  return app
}
