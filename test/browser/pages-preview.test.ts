import type { Server } from 'node:http'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import Koa from 'koa'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadAssets } from '#platform/http/assets.ts'
import { renderPage, view, viewMiddleware } from '#platform/http/render.ts'
import { chromiumPath, launchBrowser } from '../support/browser.ts'
import { samples } from './pages-preview.ts'

const policy = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; font-src 'self'; script-src 'self'"
const screens = [
  { name: 'a small phone in daylight', width: 320, colorScheme: 'light' },
  { name: 'a desktop at night', width: 1280, colorScheme: 'dark' },
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

  for (const { name, width, colorScheme } of screens) {
    describe(`on ${name}`, () => {
      let context: BrowserContext

      beforeAll(async () => {
        context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } })
      })

      afterAll(() => context.close())

      test.each(samples)('$label fits, runs nothing and has no axe violation', async ({ label }) => {
        const page = await context.newPage()
        const noise: string[] = []
        page.on('console', (message) => noise.push(message.text()))
        page.on('dialog', (dialog) => {
          noise.push(dialog.message())
          void dialog.dismiss()
        })
        await page.goto(`${origin}/${label}`)
        for (const summary of await page.locator('summary').all()) await summary.click()

        expect(await tooWide(page, width)).toEqual([])
        expect(await hardToTap(page)).toEqual([])
        const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
        expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([])
        expect(noise).toEqual([])
        await page.close()
      })
    })
  }
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

/** What reaches beyond the right edge of the window. */
function tooWide(page: Page, width: number): Promise<string[]> {
  return page
    .locator('body, body *')
    .evaluateAll(
      (all, edge) => all.filter((element) => element.getBoundingClientRect().right > edge).map((e) => e.outerHTML),
      width + 0.5,
    )
}

/** Controls lower than 44 CSS pixels (WCAG 2.5.5). */
function hardToTap(page: Page): Promise<string[]> {
  return page
    .locator('button, a, summary, input:not([type=hidden])')
    .evaluateAll((all) =>
      all.filter((element) => element.getBoundingClientRect().height < 43.9).map((element) => element.outerHTML),
    )
}
