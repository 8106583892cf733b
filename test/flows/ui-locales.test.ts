// The language of the pages: what the application asks for (ui_locales), else the browser, else the server's setting.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, PASSWORD, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, errorOf, locationOf, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, basic, post, query, send } from '../support/protocol.ts'

const SAID = {
  de: {
    signIn: 'Anmelden',
    wrong: 'noch einmal',
    consent: 'Zugriff erlauben?',
    question: 'abmelden?',
    out: 'abgemeldet',
  },
  en: { signIn: 'Sign in', wrong: 'try again', consent: 'Allow access?', question: 'Sign out?', out: 'signed out' },
  es: {
    signIn: 'Iniciar sesión',
    wrong: 'de nuevo',
    consent: '¿Permitir',
    question: '¿Quiere cerrar',
    out: 'Ha cerrado',
  },
  fr: {
    signIn: 'Connexion',
    wrong: 'réessayez',
    consent: 'Autoriser l’accès',
    question: 'vous déconnecter',
    out: 'fermée',
  },
} as const

const langOf = ({ body }: Page) => /<html lang="([^"]*)">/.exec(body)?.[1]

describe('the language of the pages', () => {
  let app: TestApp
  let web: RegisteredClient

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    await createPerson(app.services)
    web = await createClient(app.services)
  })
  afterAll(() => app.close())

  const open = (ui_locales: string | undefined, language?: string) =>
    browserSession(app.issuer, language === undefined ? {} : { 'accept-language': language }).open(
      authorizeUrl(app, web, { ui_locales }),
    )

  test('is told in discovery', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json['ui_locales_supported']).toEqual(['de', 'en', 'es', 'fr'])
  })

  test.each(Object.entries(SAID))(
    'is %s from the sign-in to the sign-out where ui_locales says so',
    async (locale, said) => {
      const browser = browserSession(app.issuer, { 'accept-language': locale === 'de' ? 'fr' : 'de' })
      const signIn = await browser.open(authorizeUrl(app, await createClient(app.services), { ui_locales: locale }))
      expect(signIn.body).toContain(`<h1>${said.signIn}</h1>`)
      const wrong = await browser.submit(signIn, { username: 'ada', password: 'not hers' })
      expect([wrong.status, wrong.body.includes(said.wrong)]).toEqual([422, true])
      const consent = await browser.submit(wrong, { username: 'ada', password: PASSWORD })
      expect(consent.body).toContain(said.consent)
      expect(locationOf(await browser.submit(consent, { decision: 'allow' })).searchParams.get('code')).toBeTruthy()

      const question = await browser.open(`${app.issuer}/logout?${query({ ui_locales: locale })}`)
      expect(question.body).toContain(said.question)
      const out = await browser.submit(question, { logout: 'yes' })
      expect(out.body).toContain(said.out)

      for (const page of [signIn, wrong, consent, question, out])
        expect([langOf(page), page.headers.get('content-language')]).toEqual([locale, locale])
    },
  )

  test.each([
    ['the application before the browser', 'fr', 'de', 'fr'],
    ['the first that is spoken here', 'ja pt-BR es-MX de', 'fr', 'es'],
    ['a region with its language', 'DE-at', undefined, 'de'],
    ['the browser where the application asks for nothing that is spoken', 'ja x-klingon', 'fr', 'fr'],
    ['the browser by its weights', undefined, 'ja, en;q=0.4, de-CH;q=0.7, fr;q=0.5', 'de'],
    ['not what the browser does not want', undefined, 'fr;q=0, de;q=0.000, es;q=0.1', 'es'],
    ['in the end the setting', 'ja', 'nl, *;q=0.5', 'en'],
    ['nothing by a word that only begins alike', 'deutsch', 'german, francais', 'en'],
  ])('heeds %s', async (_, asked, language, locale) => {
    expect(langOf(await open(asked, language))).toBe(locale)
  })

  test('is that of a pushed request, and lasts until its last page', async () => {
    const { json } = await post(
      `${app.issuer}/par`,
      Object.fromEntries(new URL(authorizeUrl(app, web, { ui_locales: 'es-AR', prompt: 'consent' })).searchParams),
      basic(web),
    )
    const browser = browserSession(app.issuer, { 'accept-language': 'fr' })
    const request = { client_id: web.client.id, request_uri: String(json['request_uri']) }
    const signIn = await browser.open(`${app.issuer}/authorize?${query(request)}`)
    const consent = await browser.submit(signIn, { username: 'ada', password: PASSWORD })
    const stale = await browser.submit(consent, { csrf: 'old', decision: 'allow' })
    expect([signIn, consent, stale].map(langOf)).toEqual(['es', 'es', 'es'])
    expect([stale.status, errorOf(stale)]).toEqual([403, 'forbidden'])
  })

  test('is that of the request on the page of its refusal, and the developer is told in English', async () => {
    const refused = await browserSession(app.issuer).open(
      authorizeUrl(app, web, { ui_locales: 'de', redirect_uri: 'http://localhost:9/elsewhere' }),
    )
    expect([langOf(refused), errorOf(refused)]).toEqual(['de', 'invalid_redirect_uri'])
    expect(refused.body).toContain('Falsche Rücksprungadresse')
    expect(refused.body).toContain('lang="en">redirect_uri did not match')
    const logout = `${app.issuer}/logout?${query({ ui_locales: 'fr', client_id: 'nobody' })}`
    expect(langOf(await browserSession(app.issuer).open(logout))).toBe('fr')
  })

  test('is the browser’s where there is no request, and nothing keeps it for another', async () => {
    for (const path of ['/', '/device', '/nowhere', '/interaction/none']) {
      const page = await browserSession(app.issuer, { 'accept-language': 'es' }).open(app.issuer + path)
      expect([path, langOf(page), page.headers.get('vary')?.includes('Accept-Language')]).toEqual([path, 'es', true])
      expect(page.headers.get('cache-control')).toBe('no-store')
    }
  })

  test('changes nothing for programs', async () => {
    const { json } = await send(`${app.issuer}/nowhere?ui_locales=de`, { headers: { 'accept-language': 'de' } })
    expect(json['error_description']).toBe('There is no page at this address.')
  })

  test.each([
    ['markup', '"><svg onload=alert(1)>'],
    ['a header', 'de\r\nX-Injected: 1'],
    ['names that every object has', '__proto__ constructor toString'],
    ['2 kB of it', 'x-'.repeat(1_000)],
    ['2 kB of words', 'q '.repeat(1_000)],
  ])('refuses no request for %s, and reflects none of it', async (_, hostile) => {
    const page = await open(hostile)
    expect([page.status, langOf(page)]).toEqual([200, 'en'])
    const question = await browserSession(app.issuer).open(`${app.issuer}/logout?${query({ ui_locales: hostile })}`)
    for (const { body, headers } of [page, question]) {
      expect(body).not.toContain('ui_locales')
      expect(body).not.toMatch(/<svg onload|klingon|X-Injected|__proto__|x-x-|q q/)
      expect(headers.get('x-injected')).toBeNull()
    }
  })

  test('of a sign-out goes with the library’s own address only', async () => {
    const address = `${app.issuer.replace('localhost', '127.0.0.1')}/logout/success`
    const other = await createClient(app.services, { post_logout_redirect_uris: [address] })
    const browser = browserSession(app.issuer)
    await browser.submit(await browser.open(authorizeUrl(app, web)), { username: 'ada', password: PASSWORD })
    const fields = { client_id: other.client.id, post_logout_redirect_uri: address, ui_locales: 'de' }
    const question = await browser.open(`${app.issuer}/logout?${query(fields)}`)
    expect(locationOf(await browser.submit(question, { logout: 'yes' })).href).toBe(address)
  })
})

describe('the setting DEFAULT_LOCALE', () => {
  test('speaks where nobody asks, and is not the last word', async () => {
    const app = await startApp(databases[0] ?? expect.fail('no database'), { settings: { DEFAULT_LOCALE: 'fr' } })
    const langs = ['', 'de-AT', 'nl'].map(async (language) =>
      langOf(await browserSession(app.issuer, { 'accept-language': language }).open(`${app.issuer}/`)),
    )
    expect(await Promise.all(langs)).toEqual(['fr', 'de', 'fr'])
    await app.close()
  })
})
