// Every page and document of the server: its headers, what it prints of strangers' words, and where it lets a path lead.
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, type Page } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, bystander, expectNothingGiven, query } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

const HOSTILE = [
  '"><svg onload=alert(1)>',
  '${7*7}',
  '<%= 7*7 %>',
  '{{7*7}}',
  "'-alert(1)-'",
  'javascript:alert(1)',
  '</title><script>alert(1)</script>',
  '\u2028alert(1)',
  '" autofocus onfocus=alert(1) x="',
]

describe('pages', () => {
  let app: TestApp
  let web: RegisteredClient
  let stillWorks: () => Promise<void>

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    await createPerson(app.services)
    web = await createClient(app.services, { post_logout_redirect_uris: ['https://rp.example/out'] })
    stillWorks = await bystander(app)
  })
  afterEach(() => stillWorks())
  afterAll(() => app.close())

  const newBrowser = () => browserSession(app.issuer)

  async function everyPage(): Promise<[string, Page][]> {
    const browser = newBrowser()
    const password = await browser.open(authorizeUrl(app, web))
    const wrong = await signIn(browser, password, 'ada', 'wrong password')
    const consent = await signIn(browser, password)
    const formPost = newBrowser()
    const signedIn = await signIn(formPost, await formPost.open(authorizeUrl(app, web, { response_mode: 'form_post' })))
    const posted = await formPost.submit(signedIn, { decision: 'allow' })
    const confirm = await formPost.open(`${app.issuer}/logout`)
    const left = await formPost.open(`${app.issuer}/logout?${query({ client_id: web.client.id })}`)
    const out = await formPost.submit(confirm, { logout: 'yes' })
    return [
      ['home', await browser.open(`${app.issuer}/`)],
      ['sign-in', password],
      ['sign-in again', wrong],
      ['consent', consent],
      ['form_post', posted],
      ['logout question', confirm],
      ['logout question for a client', left],
      ['signed out', out],
      ['protocol error', await browser.open(`${app.issuer}/authorize`)],
      ['expired', await newBrowser().open(`${app.issuer}/interaction/x`)],
      ['not found', await browser.open(`${app.issuer}/nowhere`)],
      ['discovery', await browser.open(`${app.issuer}/.well-known/openid-configuration`)],
      ['userinfo refusal', await browser.open(`${app.issuer}/userinfo`)],
      ['health', await browser.open(`${app.issuer}/healthz`)],
      ['an asset', await browser.open(new URL(/href="([^"]*css)"/.exec(password.body)?.[1] ?? '', app.issuer).href)],
    ]
  }

  test('A17 sends its security headers with every page, the ones that the library makes included', async () => {
    for (const [name, page] of await everyPage()) {
      const header = (key: string) => page.headers.get(key) ?? ''
      expect(page.status, name).toBeLessThan(500)
      expect(header('content-security-policy'), name).toContain("frame-ancestors 'none'")
      expect(header('content-security-policy'), name).toMatch(/script-src [^;]+/)
      expect(header('content-security-policy'), name).not.toMatch(/unsafe-|\*/)
      expect(header('x-content-type-options'), name).toBe('nosniff')
      expect(header('referrer-policy'), name).toBe('no-referrer')
      expect(header('cross-origin-opener-policy'), name).toBe('same-origin')
      expect(page.headers.has('x-powered-by') || page.headers.has('server'), name).toBe(false)
      for (const [, url = ''] of page.body.matchAll(/<(?:script|link|img|iframe)[^>]*\s(?:src|href)="([^"]*)"/g))
        expect(url, name).toMatch(/^\/(?!\/)/)
      for (const [script = ''] of page.body.matchAll(/<script[^>]*>/g))
        expect(`${name}: ${script}`).toBe('form_post: <script>')
      expect(page.body, name).not.toMatch(/\son\w+=|javascript:/i)
      if (name === 'form_post') expect(header('content-security-policy')).toMatch(/'sha256-/)
      if (header('content-type').includes('html')) {
        expect(page.body, name).toMatch(/<title>[^<]+/)
        expect(header('cache-control'), name).toContain('no-store')
      }
    }
  })

  test('A36 prints the words of strangers as words', async () => {
    for (const words of HOSTILE) {
      const client = await createClient(app.services, {
        name: words.replaceAll('\u2028', ' '),
        metadata: { client_uri: `https://rp.example/${encodeURIComponent(words)}` },
      })
      await app.services.accounts.update((await app.services.accounts.get('ada')).id, {
        name: words.replaceAll('\u2028', ' '),
      })
      const browser = newBrowser()
      const page = await browser.open(
        authorizeUrl(app, client, { login_hint: words, ui_locales: words, state: words, display: words }),
      )
      const wrong = await signIn(browser, page, words, words)
      const consent = await signIn(browser, wrong)
      const left = await browser.open(`${app.issuer}/logout?${query({ client_id: client.client.id, state: words })}`)
      const error = await browser.open(authorizeUrl(app, client, { redirect_uri: words, state: words, scope: words }))
      const unknown = await browser.open(
        authorizeUrl(app, client, { client_id: words, error: words, error_description: words }),
      )
      const missing = await browser.open(`${app.issuer}/${encodeURIComponent(words)}`)
      expect(consent.body).toContain('id="consent"')
      for (const { body } of [page, wrong, consent, left, error, unknown, missing]) {
        expect(body).not.toMatch(/<svg onload|<script|>49<|"49"|(href|src|action)="\s*javascript:/i)
        // whatever was printed stands inside its quotes, so no tag has an attribute that listens
        const tags = [...body.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, ''))
        expect(tags.filter((tag) => /\son\w+=/.test(tag))).toEqual([])
      }
    }
    await app.services.accounts.update((await app.services.accounts.get('ada')).id, { name: null })
  })

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://rp.example/logo.png',
    '//evil.example',
    ' https://rp.example',
  ])('A36 refuses %j as an address of a client', async (uri) => {
    for (const member of ['logo_uri', 'policy_uri', 'tos_uri', 'client_uri']) {
      await expect(createClient(app.services, { metadata: { [member]: uri } })).rejects.toMatchObject({
        code: 'invalid_input',
      })
    }
  })

  test('A37 follows no return address that a link carries', async () => {
    for (const target of [
      '//evil.example',
      '/\\evil.example',
      'https:evil.example',
      '%2f%2fevil.example',
      '/%09/evil.example',
      'javascript:alert(1)',
      'https://evil.example',
    ]) {
      for (const name of ['next', 'return_to', 'redirect', 'returnTo', 'continue', 'url']) {
        const browser = newBrowser()
        for (const place of ['/', '/logout', '/interaction/x', '/authorize']) {
          const page = await browser.request(`${app.issuer}${place}?${name}=${target}`)
          expectNothingGiven(page, { signedIn: true })
          expect(page.headers.get('location') ?? '').not.toContain('evil')
          expect(page.body).not.toContain('evil')
        }
      }
    }
    for (const path of [
      '//evil.example',
      '//evil.example/..',
      '/\\evil.example',
      '/%5cevil.example',
      '/.//evil.example',
      '//evil.example/interaction/x',
    ]) {
      const [status = '', head = ''] = await rawGet(path)
      expect(status).toMatch(/ (400|404) /)
      expect(head.toLowerCase()).not.toContain('location:')
    }
  })

  test.each([
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/..%5c..%5cpackage.json',
    '/assets/../../keys/master.key',
    '/assets/%00',
    '/assets/',
    '/.env',
    '/keys/master.key',
    '/data/latchkey.db',
    '/package.json',
    '/src/main.ts',
    '/assets/latchkey.css',
  ])('A111 serves no file at %s', async (path) => {
    const [status = '', head = '', body = ''] = await rawGet(path)
    expect(status).toMatch(/ 404 /)
    expect(head.toLowerCase()).toContain('x-content-type-options: nosniff')
    expect(body).not.toMatch(/"dependencies"|@layer|ISSUER/)
  })

  test('A111 gives userinfo under no other name that a cache would keep', async () => {
    for (const path of ['/userinfo/x.css', '/userinfo;x.css', '/userinfo%2fx.css', '/userinfo.css']) {
      const page = await newBrowser().request(`${app.issuer}${path}`)
      expect([400, 401, 404]).toContain(page.status)
      expect(page.headers.get('cache-control')).toContain('no-store')
    }
  })

  test.each([
    '/TOKEN',
    '/token;x',
    '//token',
    '/%74oken',
    '/token/',
    '/token/.',
    '/./token',
    '/x/../token',
    '/authorize;x',
    '/Authorize',
    '/logout/confirm/',
    '/.well-known/openid-configuration/',
    '/healthz/',
    '/readyz;x',
  ])('A112 decides the same for %s as for the plain path, or knows no such page', async (path) => {
    const [status = '', head = ''] = await rawGet(path)
    expect(status).toMatch(/ (200|303|400|401|404|405) /)
    expect(head.toLowerCase()).toContain("frame-ancestors 'none'")
  })

  test.each([
    '/Token',
    '/token/',
    '/Logout',
    '/Device',
    '/Interaction/x/password',
    '/.well-known/JWKS.json',
    '/authorize/',
  ])('A112 knows no %s: what stands before the routers goes by the path as it is written', async (path) => {
    for (const method of ['GET', 'POST']) expect((await rawGet(path, method))[0]).toContain(' 404 ')
  })

  test.each(['TRACE', 'TRACK', 'CONNECT', 'PROPFIND', 'FOO', 'PUT', 'DELETE', 'OPTIONS'])(
    'A112 does nothing for %s',
    async (method) => {
      for (const path of [
        '/authorize',
        '/token',
        '/userinfo',
        '/logout',
        '/',
        '/interaction/x',
        '/healthz',
        '/nowhere',
      ]) {
        const [status = '', head = '', body = ''] = await rawGet(path, method)
        expect(status === '' || /^HTTP\/1\.1 (20[04]|4\d\d|501) /.test(status), `${method} ${path}: ${status}`).toBe(
          true,
        )
        expect(`${head}${body}`).not.toContain('X-Canary')
      }
    },
  )

  /** Status line, headers and body of a path that no URL parser has touched. */
  const rawGet = (path: string, method = 'GET'): Promise<[string, string, string]> =>
    new Promise((resolve) => {
      let text = ''
      const socket = connect(Number(new URL(app.issuer).port), 'localhost', () =>
        socket.write(
          `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nX-Canary: 1\r\nConnection: close\r\n\r\n`,
        ),
      )
      socket.setTimeout(2_000, () => socket.destroy())
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        const [head = '', body = ''] = text.split('\r\n\r\n')
        resolve([head.split('\r\n')[0] ?? '', head, body])
      })
    })
})
