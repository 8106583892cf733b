// Approving as people do it: in a real browser, from nobody signed in to the client's tokens.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD, type RegisteredClient } from '../support/app.ts'
import { asked, createPollingClient, pollFor } from '../support/backchannel.ts'
import { chromiumPath } from '../support/browser.ts'
import { databases } from '../support/databases.ts'
import { expectGoodPage } from './page-check.ts'
import { allLooks, arriveAt, enter, fillIn, openWorld, phone, type World } from './world.ts'

const sqlite = databases.filter(({ name }) => name === 'sqlite')

describe.skipIf(!chromiumPath).each(sqlite)('approving with a browser', (database) => {
  let world: World
  let till: RegisteredClient

  beforeAll(async () => {
    world = await openWorld(database)
    till = await createPollingClient(world.app, { name: 'Call centre' })
  })
  afterAll(() => world.close())
  afterEach(() => world.reset())

  test.each(allLooks)('goes all the way on $name', async ({ check, name: _name, ...options }) => {
    const { app } = world
    const authReqId = await asked(app, till, { binding_message: 'Order 4711' })
    const page = await world.visit(options)
    await page.goto(`${app.issuer}/approvals`)
    await enter(page, 'ada')
    await arriveAt(page, 'Requests for you')
    expect(await page.locator('.words').innerText()).toContain('Order 4711')
    await check(page)

    await page.getByRole('link', { name: 'Call centre' }).click()
    await arriveAt(page, 'Approve this request?')
    expect(await page.locator('dd.binding').innerText()).toBe('Order 4711')
    await check(page)

    await page.click('#approval [value=approve]')
    await arriveAt(page, 'You approved this request')
    await check(page)
    await page.reload()
    await arriveAt(page, 'You approved this request')
    expect((await pollFor(app, till, authReqId)).status).toBe(200)

    await page.getByRole('link', { name: 'whether more' }).click()
    await arriveAt(page, 'Requests for you')
    expect(await page.locator('main').innerText()).toContain('Nothing waits for your approval')
    await check(page)
  })

  test('proves who it is once more where the client demands it, and can be turned down by keyboard', async () => {
    const { app } = world
    const page = await world.visit({ ...phone, colorScheme: 'light' })
    await page.goto(`${app.issuer}/approvals`)
    await enter(page, 'ada')
    await arriveAt(page, 'Requests for you')
    await new Promise((resolve) => setTimeout(resolve, 1_100)) // the sign-in was not for this request
    const authReqId = await asked(app, till, { max_age: '0' })
    await page.reload()
    await page.getByRole('link', { name: 'Call centre' }).click()
    await arriveAt(page, 'Confirm it’s you')
    await fillIn(page, '#sign-in [name=password]', 'wrong')
    await page.click('#sign-in button.primary')
    await page.getByRole('alert').waitFor()
    expect((await pollFor(app, till, authReqId)).json['error']).toBe('authorization_pending')
    await fillIn(page, '#sign-in [name=password]', PASSWORD)
    await page.click('#sign-in button.primary')
    await arriveAt(page, 'Approve this request?')
    await page.focus('#approval [value=deny]')
    await page.keyboard.press('Enter')
    await arriveAt(page, 'You did not approve this request')
    await expectGoodPage(page)
  })
})
