// Choosing an account with a browser: by mouse and by keyboard, in daylight and at night.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath } from '../support/browser.ts'
import { databases } from '../support/databases.ts'
import { arriveAt, claimsOn, desktop, enter, errorOn, looks, openWorld, phone, signIn, type World } from './world.ts'

const sqlite = databases.filter(({ name }) => name === 'sqlite')

describe.skipIf(!chromiumPath).each(sqlite)('the account chooser in a browser', (database) => {
  let world: World

  beforeAll(async () => {
    world = await openWorld(database)
  })
  afterEach(() => world.reset())
  afterAll(() => world.close())

  test.each(looks)(
    'goes on as the person here, or as another, on $name',
    async ({ check, name: _name, ...options }) => {
      const { visit, notes } = world
      const page = await visit(options)
      await signIn(page, notes, 'ada')

      await page.goto(notes.signIn({ prompt: 'select_account' }))
      await arriveAt(page, 'Choose an account')
      expect(await page.title()).toBe('Choose an account · Latchkey')
      await check(page)
      await page.getByRole('button', { name: 'Ada Byron ada@example.com' }).click()
      expect(await claimsOn(page)).toMatchObject({ preferred_username: 'ada' })

      await page.goto(notes.signIn({ prompt: 'select_account' }))
      await page.getByRole('button', { name: 'Use another account' }).click()
      await arriveAt(page, 'Sign in')
      expect(await page.inputValue('[name=username]')).toBe('')
      expect(await page.locator('[name=username]').isEditable()).toBe(true)
      await check(page)
      await enter(page, 'bob')
      await page.click('#consent [value=allow]')
      expect(await claimsOn(page)).toMatchObject({ preferred_username: 'bob' })
    },
  )

  test('reaches every choice by keyboard, the account first', async () => {
    const { visit, notes } = world
    const page = await visit(desktop)
    await signIn(page, notes, 'ada')
    await page.goto(notes.signIn({ prompt: 'select_account' }))
    for (const name of ['account', 'other', 'cancel']) {
      await page.keyboard.press('Tab')
      expect(await page.locator(':focus').getAttribute('name')).toBe(name)
      const outline = page
        .locator(':focus')
        .evaluate((element) => element.ownerDocument.defaultView?.getComputedStyle(element).outlineStyle)
      expect(await outline).toBe('solid')
    }
    await page.keyboard.press('Enter')
    expect(await errorOn(page)).toBe('access_denied')
  })

  test('the back button from the sign-in page leads nowhere that is wrong', async () => {
    const { visit, notes } = world
    const page = await visit(phone)
    await signIn(page, notes, 'ada')
    await page.goto(notes.signIn({ prompt: 'select_account' }))
    await page.click('[name=other]')
    await arriveAt(page, 'Sign in')
    await page.goBack()
    await page.goto(notes.signIn({ prompt: 'none' }))
    expect(await claimsOn(page)).toMatchObject({ preferred_username: 'ada' })
  })
})
