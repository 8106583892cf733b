// Connecting a device as people do it: they type its code in a real browser, or open its link.
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, type RegisteredClient, type TestApp } from '../support/app.ts'
import { chromiumPath } from '../support/browser.ts'
import { databases } from '../support/databases.ts'
import { authorizeDevice, pollDevice } from '../support/device.ts'
import { expectGoodPage } from './page-check.ts'
import { allLooks, enter, fillIn, openWorld, phone, type World } from './world.ts'

const sqlite = databases.filter(({ name }) => name === 'sqlite')

describe.skipIf(!chromiumPath).each(sqlite)('connecting a device with a browser', (database) => {
  let world: World
  let app: TestApp
  let television: RegisteredClient
  let visitors = 0

  beforeAll(async () => {
    world = await openWorld(database, { TRUSTED_PROXIES: '127.0.0.1,::1' })
    app = world.app
    television = await createClient(app.services, {
      name: 'Fieldnotes for TV',
      type: 'native',
      redirect_uris: [],
      device_flow: true,
    })
  })
  afterEach(() => world.reset())
  afterAll(() => world.close())

  /** From an address of its own: guesses of one visit would count for the next. */
  function visit(options: BrowserContextOptions): Promise<Page> {
    return world.visit({ ...options, extraHTTPHeaders: { 'x-forwarded-for': `198.51.100.${(visitors += 1)}` } })
  }

  test.each(allLooks)('goes all the way on $name', async ({ check, name: _name, ...options }) => {
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

    await fillIn(page, '[name=user_code]', userCode.toLowerCase().replace('-', ' '))
    await page.keyboard.press('Enter')
    await page.waitForSelector('#device-confirm')
    expect(await page.locator('dd.user-code').innerText()).toBe(userCode)
    expect(await page.locator('main').innerText()).toContain('LivingRoomTV/1.0')
    await check(page)

    await page.click('#device-confirm [name=confirm]')
    await enter(page, 'ada')
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
      await fillIn(page, '[name=user_code]', 'BBBBBBBB')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=alert], main[data-error]')
    }
    expect(await page.getAttribute('main', 'data-error')).toBe('too_many_attempts')
    await expectGoodPage(page)
  })
})
