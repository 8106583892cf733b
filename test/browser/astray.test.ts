// The pages off the straight way, in a real browser: signing out, errors, old forms, several tabs.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath } from '../support/browser.ts'
import { databases } from '../support/databases.ts'
import { expectGoodPage } from './page-check.ts'
import { arriveAt, claimsOn, desktop, enter, openWorld, phone, signIn, type World } from './world.ts'

const sqlite = databases.filter(({ name }) => name === 'sqlite')

describe.skipIf(!chromiumPath).each(sqlite)('off the straight way in a browser', (database) => {
  let world: World

  beforeAll(async () => {
    world = await openWorld(database)
  })
  afterEach(() => world.reset())
  afterAll(() => world.close())

  test('leaves one app only, or nothing, or everything', async () => {
    const { visit, notes, app } = world
    const page = await visit({ ...desktop, colorScheme: 'light' })
    await signIn(page, notes, 'ada')

    await page.goto(notes.signOut())
    await page.click('#logout button:not([name])')
    await arriveAt(page, 'You have left the app')
    await expectGoodPage(page)

    await page.goto(`${app.issuer}/logout`)
    expect(await page.locator('.person').innerText()).toContain('Ada Byron')
    await page.click('#logout button:not([name])')
    await arriveAt(page, 'You are still signed in')
    await expectGoodPage(page)

    await page.goto(`${app.issuer}/logout`)
    await page.click('#logout [name=logout]')
    await arriveAt(page, 'You are signed out')
    await page.goto(`${app.issuer}/logout`)
    await page.waitForSelector('.sign.done')
    await arriveAt(page, 'You are signed out')
  })

  test('shows an error id where the app is unknown, and where nothing is', async () => {
    const { visit, app } = world
    const page = await visit({ ...phone, colorScheme: 'dark' })
    await page.goto(`${app.issuer}/authorize?client_id=nobody&response_type=code&scope=openid`)
    await arriveAt(page, 'Unknown app')
    const id = await page.getAttribute('main', 'data-error-id')
    expect(id).toMatch(/^[0-9a-z]{12}$/)
    expect(await page.locator('.error-id').innerText()).toContain(id)
    await page.click('summary')
    expect(await page.locator('details').innerText()).toContain('client_id: nobody')
    await expectGoodPage(page)

    await page.goto(`${app.issuer}/nowhere`)
    expect(await page.getAttribute('main', 'data-error')).toBe('not_found')
    await expectGoodPage(page)
  })

  test('asks to start again in a browser that the sign-in was not begun in', async () => {
    const { visit, notes } = world
    const begun = await visit()
    await begun.goto(notes.signIn())
    const other = await visit({ ...phone, colorScheme: 'light' })
    await other.goto(begun.url())
    await arriveAt(other, 'Please start again')
    expect(await other.getAttribute('main', 'data-error')).toBe('expired')
    await expectGoodPage(other)

    await enter(begun, 'ada')
    await arriveAt(begun, 'Allow access?')
  })

  test('finishes two sign-ins that are under way in one browser', async () => {
    const { visit, notes, club } = world
    const one = await visit(desktop)
    const two = await one.context().newPage()
    await one.goto(notes.signIn())
    await two.goto(club.signIn())
    await enter(one, 'bob')
    await enter(two, 'bob')
    expect(await claimsOn(two)).toMatchObject({ preferred_username: 'bob' })
    await one.click('#consent [value=allow]')
    expect(await claimsOn(one)).toMatchObject({ preferred_username: 'bob' })
  })

  test('asks to start again after going back, and where an old form is sent once more', async () => {
    const { visit, notes } = world
    const page = await visit(desktop)
    await page.goto(notes.signIn())
    const form = page.url()
    const old = await page.context().newPage()
    await old.goto(form)
    await enter(page, 'ada')
    await page.click('#consent [value=allow]')
    await claimsOn(page)

    await page.goBack()
    await arriveAt(page, 'Please start again')
    await page.goto(form)
    await arriveAt(page, 'Please start again')

    await enter(old, 'ada')
    await arriveAt(old, 'Please start again')
    expect(await old.getAttribute('main', 'data-error')).toBe('expired')
    await expectGoodPage(old)
  })

  test('tells what the server is at its own address', async () => {
    const { visit, app } = world
    const page = await visit({ ...phone, colorScheme: 'light' })
    await page.goto(`${app.issuer}/`)
    await expectGoodPage(page)
    const address = (await page.getAttribute('a[href$=openid-configuration]', 'href')) ?? ''
    expect(await (await page.request.get(address)).json()).toMatchObject({ issuer: app.issuer })
  })
})
