// What must hold of every page a person meets, and the ears that hear what goes wrong behind a page.
import { AxeBuilder } from '@axe-core/playwright'
import type { BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'

/** The rules of a page: found fault with by nobody, one h1, a language, a title, nothing beyond the right edge. */
export async function expectGoodPage(page: Page, language = 'en'): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([])
  await expectPlainPage(page, language)
  expect(await tooWide(page)).toEqual([])
}

/** The part of the rules that can be seen without running a script in the page. */
export async function expectPlainPage(page: Page, language = 'en'): Promise<void> {
  expect(await page.locator('h1').count()).toBe(1)
  expect(await page.locator('html').getAttribute('lang')).toBe(language)
  expect(await page.title()).toMatch(/^.+ · Latchkey$/)
}

/** What reaches beyond the right edge of the window: boxes, and text that leaves its box. */
function tooWide(page: Page): Promise<string[]> {
  return page
    .locator('html, body *')
    .evaluateAll(
      (all, edge) =>
        all
          .filter(
            (element) =>
              element.getBoundingClientRect().right > edge || (!element.parentElement && element.scrollWidth > edge),
          )
          .map((element) => element.outerHTML),
      (page.viewportSize()?.width ?? 0) + 0.5,
    )
}

/**
 * Collects what no page may cause: words in the console (the browser's note of a refused page's own status is none of
 * ours), failed scripts, dialogs, answers of 500 and more, and requests to any origin but these.
 */
export function listen(context: BrowserContext, origins: readonly string[]): readonly string[] {
  const noise: string[] = []
  context.on('console', (message) => {
    const refusedPage = /status of 4\d\d/.test(message.text()) && message.location().url === message.page()?.url()
    if (!refusedPage) noise.push(message.text())
  })
  context.on('weberror', (error) => noise.push(String(error.error())))
  context.on('dialog', (dialog) => {
    noise.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && !origins.includes(origin)) noise.push(`request to ${request.url()}`)
  })
  context.on('response', (response) => {
    if (response.status() >= 500) noise.push(`${response.status()} at ${response.url()}`)
  })
  return noise
}
