import type { Server } from 'node:http'
import path from 'node:path'
import Koa from 'koa'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadAssets } from '#platform/http/assets.ts'
import { renderPage, view, viewMiddleware } from '#platform/http/render.ts'
import { chromiumPath, launchBrowser } from '../support/browser.ts'
import { expectGoodPage, listen } from './page-check.ts'
import { samples } from './pages-preview.ts'

const policy = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; font-src 'self'; script-src 'self'"
// colours are the scheme's and never the content's, so what people make of their names is looked at where room is least
const screens = [
  { name: 'a small phone in daylight', width: 320, colorScheme: 'light', shown: samples },
  {
    name: 'a desktop at night',
    width: 1280,
    colorScheme: 'dark',
    shown: samples.filter(({ label }) => !label.endsWith('hostile')),
  },
] as const

describe.skipIf(!chromiumPath)('every page in a browser', () => {
  let browser: Browser
  let server: Server
  let origin: string

  beforeAll(async () => {
    server = pages().listen(0, '127.0.0.1')
    browser = await launchBrowser()
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    origin = `http://127.0.0.1:${address.port}`
  })

  afterAll(async () => {
    await browser.close()
    server.close()
  })

  describe.each(screens)('on $name', ({ width, colorScheme, shown }) => {
    let page: Page
    let noise: readonly string[]

    beforeAll(async () => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } })
      noise = listen(context, [origin])
      page = await context.newPage()
    })

    afterAll(() => page.context().close())

    test.each(shown)('$label fits, runs nothing and has no axe violation', async ({ label }) => {
      const heard = noise.length
      await page.goto(`${origin}/${label}`)
      for (const summary of await page.locator('summary').all()) await summary.click()

      await expectGoodPage(page)
      expect(await hardToTap(page)).toEqual([])
      expect(noise.slice(heard)).toEqual([])
    })
  })
})

function pages(): Koa {
  const dir = path.join(import.meta.dirname, '../../views')
  const assets = loadAssets(path.join(dir, 'public'))
  const app = new Koa()
  app.use((ctx, next) => {
    ctx.set('Content-Security-Policy', policy)
    return next()
  })
  app.use(assets.middleware)
  app.use(viewMiddleware({ dir, cache: true, assets }))
  app.use(async (ctx) => {
    const sample = samples.find(({ label }) => ctx.path === `/${label}`)
    if (sample) await renderPage(ctx, view(sample.view), { title: sample.title, lang: 'en' }, sample.model)
  })
  return app
}

/** Controls lower than 44 CSS pixels (WCAG 2.5.5). */
function hardToTap(page: Page): Promise<string[]> {
  return page
    .locator('button, a, summary, input:not([type=hidden])')
    .evaluateAll((all) =>
      all.filter((element) => element.getBoundingClientRect().height < 43.9).map((element) => element.outerHTML),
    )
}
