import type { Server } from 'node:http'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, launchBrowser } from '../support/browser.ts'
import { expectGoodPage, listen } from './page-check.ts'
import { samples } from './pages-preview.ts'
import { previews } from './previews.ts'

const policy = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; font-src 'self'; script-src 'self'"
const meant = samples.filter(({ label }) => !label.endsWith('hostile'))
// colours are the scheme's and never the content's, so what people make of their names is looked at where room is least
const screens = [
  { name: 'a small phone in daylight', width: 320, colorScheme: 'light', locale: 'en', shown: samples },
  { name: 'a small phone in German', width: 320, colorScheme: 'light', locale: 'de', shown: meant },
  { name: 'a desktop at night', width: 1280, colorScheme: 'dark', locale: 'en', shown: meant },
] as const

describe.skipIf(!chromiumPath)('every page in a browser', () => {
  let browser: Browser
  let server: Server
  let origin: string

  beforeAll(async () => {
    const app = previews()
    app.middleware.unshift((ctx, next) => {
      ctx.set('Content-Security-Policy', policy)
      return next()
    })
    server = app.listen(0, '127.0.0.1')
    browser = await launchBrowser()
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    origin = `http://127.0.0.1:${address.port}`
  })

  afterAll(async () => {
    await browser.close()
    server.close()
  })

  describe.each(screens)('on $name', ({ width, colorScheme, locale, shown }) => {
    let page: Page
    let noise: readonly string[]

    beforeAll(async () => {
      const context = await browser.newContext({ colorScheme, locale, viewport: { width, height: 800 } })
      noise = listen(context, [origin])
      page = await context.newPage()
    })

    afterAll(() => page.context().close())

    test.each(shown)('$label fits, runs nothing and has no axe violation', async ({ label }) => {
      const heard = noise.length
      await page.goto(`${origin}/${label}`)
      for (const summary of await page.locator('summary').all()) await summary.click()

      await expectGoodPage(page, locale)
      expect(await hardToTap(page)).toEqual([])
      expect(noise.slice(heard)).toEqual([])
    })
  })
})

/** Controls lower than 44 CSS pixels (WCAG 2.5.5). */
function hardToTap(page: Page): Promise<string[]> {
  return page
    .locator('button, a, summary, input:not([type=hidden])')
    .evaluateAll((all) =>
      all.filter((element) => element.getBoundingClientRect().height < 43.9).map((element) => element.outerHTML),
    )
}
