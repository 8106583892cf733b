// A browser, the real server and two relying parties, and what a person does with them.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { createPerson, PASSWORD, startApp, type TestApp } from '../support/app.ts'
import { launchBrowser } from '../support/browser.ts'
import type { DatabaseKind } from '../support/databases.ts'
import { openSite, type RelyingPartySite } from '../support/relying-party-site.ts'
import { expectGoodPage, expectPlainPage, listen } from './page-check.ts'

export const phone = { viewport: { width: 390, height: 844 } }
export const desktop = { viewport: { width: 1280, height: 800 } }

/** How a page is looked at, and what it is judged by. */
export const looks = [
  { name: 'a phone in daylight', ...phone, colorScheme: 'light', check: expectGoodPage },
  { name: 'a desktop at night', ...desktop, colorScheme: 'dark', check: expectGoodPage },
  { name: 'a phone without JavaScript', ...phone, javaScriptEnabled: false, check: expectPlainPage },
] as const

export const allLooks = [
  ...looks,
  { name: 'a phone at night', ...phone, colorScheme: 'dark', check: expectGoodPage },
  { name: 'a desktop in daylight', ...desktop, colorScheme: 'light', check: expectGoodPage },
] as const

export interface World {
  readonly app: TestApp
  /** Open to everyone; asks for consent. */
  readonly notes: RelyingPartySite
  /** First-party, and open to `bob` only; everybody else here is `ada`. */
  readonly club: RelyingPartySite
  /** A page in a browser of its own: no cookie is shared with another. */
  visit(options?: BrowserContextOptions): Promise<Page>
  /** Closes all pages and forgets what was allowed. @throws where a page did what no page may do */
  reset(): Promise<void>
  close(): Promise<void>
}

export async function openWorld(
  database: DatabaseKind,
  settings: Readonly<Record<string, string>> = {},
): Promise<World> {
  const app = await startApp(database, { settings })
  const ada = await createPerson(app.services)
  const bob = await app.services.accounts.create({ email: 'bob@example.com', username: 'bob' }, PASSWORD)
  await app.services.groups.create('members')
  await app.services.groups.addMember('members', 'bob')
  const notes = await openSite(app, { name: 'Fieldnotes' })
  const club = await openSite(app, { name: 'Club', assignment: 'groups', groups: ['members'], first_party: true })
  const browser: Browser = await launchBrowser()
  let contexts: BrowserContext[] = []
  let noises: (readonly string[])[] = []

  return {
    app,
    notes,
    club,

    async visit(options = {}) {
      const context = await browser.newContext(options)
      contexts.push(context)
      noises.push(listen(context, [app.issuer, notes.origin, club.origin]))
      return context.newPage()
    },

    async reset() {
      await Promise.all(contexts.map((context) => context.close()))
      for (const { id } of [ada, bob]) await app.services.consents.forget(id, notes.clientId)
      const heard = noises.flat()
      contexts = []
      noises = []
      if (heard.length > 0) throw new Error(`pages made noise: ${heard.join('; ')}`)
    },

    async close() {
      await browser.close()
      await Promise.all([notes.close(), club.close()])
      await app.close()
    },
  }
}

/** From nothing to claims at the site, consent included. */
export async function signIn(page: Page, site: RelyingPartySite, username: string): Promise<void> {
  await page.goto(site.signIn())
  await enter(page, username)
  await page.click('#consent [value=allow]')
  await claimsOn(page)
}

/** Fills a field of a page that gives the focus, once it has: autofocus comes after the load, and is not pleased to find it taken. */
export async function fillIn(page: Page, field: string, value: string): Promise<void> {
  await page.waitForSelector(field)
  await page.locator(':focus').waitFor()
  await page.fill(field, value)
}

/** Fills the sign-in form and sends it. */
export async function enter(page: Page, username: string, password = PASSWORD): Promise<void> {
  await fillIn(page, '#sign-in [name=username]', username)
  await fillIn(page, '#sign-in [name=password]', password)
  await page.click('#sign-in button.primary')
}

/** Waits for the page with this heading. */
export function arriveAt(page: Page, heading: string): Promise<void> {
  return page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
}

export async function claimsOn(page: Page): Promise<Readonly<Record<string, unknown>>> {
  const claims: unknown = JSON.parse(await page.locator('#claims').innerText())
  if (typeof claims !== 'object' || claims === null) throw new Error('the site shows no claims')
  return { ...claims }
}

export function errorOn(page: Page): Promise<string> {
  return page.locator('#error').innerText()
}
