import { expect, test } from 'vitest'
import { chromiumPath, launchBrowser } from './browser.ts'

test.skipIf(!chromiumPath)('a real Chromium renders a page', async () => {
  const browser = await launchBrowser()
  try {
    const page = await browser.newPage()
    await page.setContent('<h1>Sign in</h1>')
    expect(await page.getByRole('heading').textContent()).toBe('Sign in')
  } finally {
    await browser.close()
  }
})
