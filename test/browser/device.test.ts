// Connecting a device as people do it: they type its code in a real browser, or open its link.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { chromiumPath, launchBrowser } from '../support/browser.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { expectGoodPage, expectPlainPage, listen } from './page-check.ts'

const phone = { viewport: { width: 390, height: 844 } }
const desktop = { viewport: { width: 1280, height: 800 } }
const sqlite = databases.filter(({ name }) => name === 'sqlite')

describe.skipIf(!chromiumPath).each(sqlite)('connecting a device with a browser', (database) => {
  let app: TestApp
  let browser: Browser
  let television: RegisteredClient
  let contexts: BrowserContext[] = []
  let noises: (readonly string[])[] = []
  let visitors = 0

  beforeAll(async () => {
    app = await startApp(database, { settings: { TRUSTED_PROXIES: '127.0.0.1,::1' } })
    await createPerson(app.services)
    television = await createClient(app.services, {
      name: 'Fieldnotes for TV',
      type: 'native',
      redirect_uris: [],
      device_flow: true,
    })
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await app.close()
  })
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()))
    const heard = noises.flat()
    contexts = []
    noises = []
    if (heard.length > 0) throw new Error(`pages made noise: ${heard.join('; ')}`)
  })

  async function visit(options: Parameters<Browser['newContext']>[0]): Promise<Page> {
    // from an address of its own: guesses of one visit would count for the next
    const extraHTTPHeaders = { 'x-forwarded-for': `198.51.100.${(visitors += 1)}` }
    const context = await browser.newContext({ ...options, extraHTTPHeaders })
    contexts.push(context)
    noises.push(listen(context, [app.issuer]))
    return context.newPage()
  }

  test.each([
    { name: 'a phone in daylight', ...phone, colorScheme: 'light', check: expectGoodPage },
    { name: 'a phone at night', ...phone, colorScheme: 'dark', check: expectGoodPage },
    { name: 'a desktop in daylight', ...desktop, colorScheme: 'light', check: expectGoodPage },
    { name: 'a desktop at night', ...desktop, colorScheme: 'dark', check: expectGoodPage },
    { name: 'a phone without JavaScript', ...phone, javaScriptEnabled: false, check: expectPlainPage },
  ] as const)('goes all the way on $name', async ({ check, name: _name, ...options }) => {
    const { deviceCode, userCode } = await authorizeDevice(app, television)
    const page = await visit(options)
    await page.goto(`${app.issuer}/device`)
    expect(await page.locator(':focus').getAttribute('name')).toBe('user_code')
    await check(page)

    await page.keyboard.type('bbbb bbbb')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    expect(await page.getAttribute('[name=user_code]', 'aria-describedby')).toBe(
      await page.getByRole('alert').getAttribute('id'),
    )
    await check(page)

    await page.fill('[name=user_code]', userCode.toLowerCase().replace('-', ' '))
    await page.keyboard.press('Enter')
    await page.waitForSelector('#device-confirm')
    expect(await page.locator('dd.user-code').innerText()).toBe(userCode)
    expect(await page.locator('main').innerText()).toContain('LivingRoomTV/1.0')
    await check(page)

    await page.click('#device-confirm [name=confirm]')
    await page.fill('#sign-in [name=username]', 'ada')
    await page.fill('#sign-in [name=password]', PASSWORD)
    await page.click('#sign-in button.primary')
    await page.waitForSelector('#consent')
    await check(page)
    await page.click('#consent [value=allow]')
    await page.waitForSelector('.sign.done')
    expect(await page.locator('h1').innerText()).toBe('Your device is connected')
    await check(page)
    expect((await pollDevice(app, television, deviceCode)).status).toBe(200)
  })

  test('turns a device away that a link brought, and shows guessing its end', async () => {
    const { complete, deviceCode } = await authorizeDevice(app, television)
    const page = await visit({ ...phone, colorScheme: 'light' })
    await page.goto(complete)
    expect(await page.locator('h1').innerText()).toBe('Connect this device?')
    await page.click('[name=abort]')
    expect(await page.locator('h1').innerText()).toBe('Nothing was connected')
    await expectGoodPage(page)
    expect((await pollDevice(app, television, deviceCode)).json['error']).toBe('access_denied')

    for (let guess = 0; guess < 6; guess += 1) {
      await page.goto(`${app.issuer}/device`)
      await page.fill('[name=user_code]', 'BBBBBBBB')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=alert], main[data-error]')
    }
    expect(await page.getAttribute('main', 'data-error')).toBe('too_many_attempts')
    await expectGoodPage(page)
  })
})
