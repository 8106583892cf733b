// A check that cannot fail is no check: pages that break the rules, one rule at a time.
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chromiumPath, launchBrowser } from '../support/browser.ts'
import { expectGoodPage, listen } from './page-check.ts'

const origin = 'http://localhost:9'

describe.skipIf(!chromiumPath)('the check of a page', () => {
  let browser: Browser
  let page: Page
  let noise: readonly string[]

  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  beforeEach(async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } })
    noise = listen(context, [origin])
    page = await context.newPage()
  })
  afterEach(() => page.context().close())

  async function show(main: string, { status = 200 } = {}): Promise<void> {
    const head = '<meta charset="utf-8"><title>A page · Latchkey</title><link rel="icon" href="data:,">'
    await page.route(`${origin}/page`, (route) =>
      route.fulfill({
        status,
        headers: { 'content-type': 'text/html', 'content-security-policy': "script-src 'self'; style-src 'self'" },
        body: `<!doctype html><html lang="en"><head>${head}</head><body><main>${main}</main></body></html>`,
      }),
    )
    await page.goto(`${origin}/page`)
  }

  test('is content with a good page, refused or not', async () => {
    await show('<h1>Good</h1>', { status: 422 })
    await expectGoodPage(page)
    expect(noise).toEqual([])
  })

  test.each([
    ['a second h1', '<h1>One</h1><h1>Two</h1>'],
    ['a field without a label', '<h1>One</h1><input>'],
    ['a line that does not wrap', `<h1>One</h1><pre>${'x'.repeat(300)}</pre>`],
  ])('finds %s', async (_name, main) => {
    await show(main)
    await expect(expectGoodPage(page)).rejects.toThrow('expected')
  })

  test.each([
    ['a style that the policy bars', '<h1 style="color:red">One</h1>', 'style'],
    ['a script that the policy bars', '<h1>One</h1><script>alert(1)</script>', 'script'],
    ['a request to another origin', '<h1>One</h1><img alt="" src="http://127.0.0.1:9/x.png">', 'request to http://127'],
  ])('hears %s', async (_name, main, word) => {
    await show(main)
    await expect.poll(() => noise.join('\n')).toContain(word)
  })

  test('hears a server that breaks', async () => {
    await show('<h1>One</h1>', { status: 500 })
    expect(noise).toContain(`500 at ${origin}/page`)
  })
})
