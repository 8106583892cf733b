// Signing in as people do it: a real browser, a relying party on an origin of its own, and the real server between.
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../support/app.ts'
import { chromiumPath } from '../support/browser.ts'
import { databases } from '../support/databases.ts'
import { expectGoodPage } from './page-check.ts'
import {
  arriveAt,
  claimsOn,
  desktop,
  enter,
  errorOn,
  fillIn,
  looks,
  openWorld,
  phone,
  signIn,
  type World,
} from './world.ts'

const sqlite = databases.filter(({ name }) => name === 'sqlite')

describe.skipIf(!chromiumPath).each(sqlite)('signing in with a browser', (database) => {
  let world: World

  beforeAll(async () => {
    world = await openWorld(database)
  })
  afterEach(() => world.reset())
  afterAll(() => world.close())

  test.each(looks)('goes all the way on $name', async ({ check, name: _name, ...options }) => {
    const { visit, notes } = world
    const page = await visit(options)

    await page.goto(notes.signIn())
    await arriveAt(page, 'Sign in')
    expect(await focused(page)).toBe('username')
    await check(page)

    await enter(page, 'ada', 'not the password')
    await page.getByRole('alert').waitFor()
    expect(await page.title()).toBe('Error: Sign in · Latchkey')
    expect(await page.inputValue('[name=username]')).toBe('ada')
    expect(await page.inputValue('[name=password]')).toBe('')
    expect(await focused(page)).toBe('password')
    // focus reads the alert out, also where a live region that was there from the start is not announced
    const alertId = await page.getByRole('alert').getAttribute('id')
    expect(await page.getAttribute('[name=password]', 'aria-describedby')).toBe(alertId)
    await check(page)

    await enter(page, 'ada')
    await arriveAt(page, 'Allow access?')
    expect(await page.locator('.asks strong').allInnerTexts()).toEqual([
      'Know that it is you',
      'See your profile',
      'See your e-mail address',
    ])
    expect(await page.locator('main').innerText()).toContain(new URL(notes.origin).host)
    await check(page)
    await page.click('#consent [value=allow]')
    const first = await claimsOn(page)
    expect(first).toMatchObject({ name: 'Ada Byron', email: 'ada@example.com', email_verified: true })

    await page.goto(notes.signIn())
    expect(await claimsOn(page)).toMatchObject({ sub: first['sub'], auth_time: first['auth_time'] })

    await page.goto(notes.signIn({ prompt: 'login' }))
    await arriveAt(page, 'Confirm it’s you')
    expect(await page.inputValue('[name=username]')).toBe('ada')
    expect(await focused(page)).toBe('password')
    await check(page)
    await fillIn(page, '[name=password]', PASSWORD)
    await page.click('button.primary')
    expect(await claimsOn(page)).toMatchObject({ sub: first['sub'] })

    await page.goto(notes.signOut({ post_logout_redirect_uri: notes.signedOut, state: 'after all' }))
    await arriveAt(page, 'Sign out?')
    await check(page)
    await page.click('#logout [name=logout]')
    await page.waitForURL(`${notes.signedOut}?state=after+all`)

    await page.goto(notes.signIn())
    await arriveAt(page, 'Sign in')
  })

  test('goes all the way by keyboard alone, with the focus in sight', async () => {
    const { visit, notes } = world
    const page = await visit({ ...desktop, colorScheme: 'light' })
    await page.goto(notes.signIn())
    await page.waitForSelector('[name=username]:focus') // autofocus comes after the load
    await page.keyboard.type('ada')
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForSelector('#consent')
    await tabTo(page, 'button[value=allow]')
    await page.keyboard.press('Enter')
    expect(await claimsOn(page)).toMatchObject({ preferred_username: 'ada' })

    await page.goto(notes.signOut())
    await tabTo(page, 'button[name=logout]')
    await page.keyboard.press('Space')
    await arriveAt(page, 'You are signed out')
    await expectGoodPage(page)
  })

  test('tells the relying party that the person turned back, at either question', async () => {
    const { visit, notes } = world
    const page = await visit(phone)
    await page.goto(notes.signIn())
    await page.click('[name=cancel]')
    expect(await errorOn(page)).toBe('access_denied')

    await page.goto(notes.signIn())
    await enter(page, 'ada')
    await page.click('#consent [value=deny]')
    expect(await errorOn(page)).toBe('access_denied')
  })

  test('proves it again as somebody else, where the person says so', async () => {
    const { visit, notes } = world
    const page = await visit({ ...desktop, colorScheme: 'dark' })
    await signIn(page, notes, 'ada')

    await page.goto(notes.signIn({ prompt: 'login' }))
    await fillIn(page, '[name=password]', 'not the password')
    await page.click('button.primary')
    expect(await page.getByRole('alert').innerText()).toBe('The password is not right. Try again.')
    await expectGoodPage(page)
    await page.click('[name=switch]')
    await arriveAt(page, 'Sign in')
    expect(await page.locator('[name=username]').isEditable()).toBe(true)
    expect(await page.inputValue('[name=username]')).toBe('')
    await enter(page, 'bob')
    await page.click('#consent [value=allow]')
    expect(await claimsOn(page)).toMatchObject({ preferred_username: 'bob' })
  })

  test('says that an app is not assigned, and leads to another account or back', async () => {
    const { visit, notes, club } = world
    const page = await visit(phone)
    await signIn(page, notes, 'ada')

    await page.goto(club.signIn())
    await arriveAt(page, 'You have no access to this app')
    expect(await page.getAttribute('main', 'data-error')).toBe('access_denied')
    expect(await page.locator('.person').innerText()).toContain('Ada Byron (ada@example.com)')
    await expectGoodPage(page)
    await page.click('[value=return]')
    expect(await errorOn(page)).toBe('access_denied')

    await page.goto(club.signIn())
    await page.click('[value=switch]')
    await enter(page, 'bob')
    expect(await claimsOn(page)).toMatchObject({ preferred_username: 'bob' })
  })
})

/** The name of the field that has the focus. */
function focused(page: Page): Promise<string | null> {
  return page.locator(':focus').getAttribute('name')
}

/** Presses Tab until the control has the focus; every stop on the way has to show that it has it. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let stops = 0; stops < 10; stops += 1) {
    await page.keyboard.press('Tab')
    const focus = page.locator(':focus')
    expect(
      await focus.evaluate((element) => element.ownerDocument.defaultView?.getComputedStyle(element).outlineStyle),
    ).toBe('solid')
    if (await focus.evaluate((element, wanted) => element.matches(wanted), selector)) return
  }
  throw new Error(`ten presses of Tab do not reach ${selector}`)
}
