import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import Koa from 'koa'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { loadAssets } from '#platform/http/assets.ts'
import { language } from '#platform/http/language.ts'
import { renderPage, view, viewMiddleware, type View } from '#platform/http/render.ts'
import { openWords, readCatalogues } from '#platform/http/words.ts'
import { hostile, samples } from '../browser/pages-preview.ts'
import { assets, previews, viewsDir as dir } from '../browser/previews.ts'

const preview = previews().callback()
const templates = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ejs'))
const count = (html: string, part: RegExp) => [...html.matchAll(part)].length

describe('a page', () => {
  test('is answered as uncached HTML with the status of its caller', async () => {
    const answer = await request(server({ code: 'not_found', errorId: 'e1', message: 'no-page' }))
      .get('/')
      .expect(422)
      .expect('Cache-Control', 'no-store')
      .expect('Content-Type', 'text/html; charset=utf-8')
    expect(answer.text).toContain('<title>Nothing here · Latchkey</title>')
    expect(answer.text).toContain('<main class="card" data-error="not_found" data-error-id="e1">')
  })

  test('is in the language of the browser, and says so', async () => {
    const answer = await request(server({ code: 'not_found', errorId: 'e1', message: 'no-page' }))
      .get('/')
      .set('Accept-Language', 'de-AT')
      .expect('Content-Language', 'de')
      .expect('Vary', /Accept-Language/)
    expect(answer.text).toContain('<html lang="de">')
    expect(answer.text).toContain('<title>Hier ist nichts · Latchkey</title>')
  })

  test('prints locals that EJS knows as options, and is compiled as ever', async () => {
    const plain = { code: 'c', errorId: 'e', message: 'bug' }
    const options = {
      client: true,
      escape: 'return process.mainModule',
      escapeFn: (text: string) => text,
      delimiter: '?',
      openDelimiter: '[',
      async: true,
      cache: false,
      debug: true,
      settings: { 'view options': { client: true, escapeFunction: '1;return 1' }, views: '/etc', 'view cache': true },
      include: () => 'shadowed',
      outputFunctionName: 'x;throw new Error("run");//',
      localsName: 'x=throw',
      _with: true,
      pretty: true,
    }
    const expected = await request(server(plain)).get('/').expect(422)
    const model = await request(server({ ...plain, ...options }))
      .get('/')
      .expect(422)
    const state = await request(server(plain, options)).get('/').expect(422)
    expect(model.text).toBe(expected.text)
    expect(state.text).toBe(expected.text)
  })

  test('prints markup, template tags and quotes as text', async () => {
    const nasty = `"><svg onload=alert(1)>'<%= 7*7 %><%- include('/etc/passwd') %>`
    const model = { code: nasty, errorId: nasty, message: 'bug', details: nasty }
    const { text: html } = await request(server(model)).get('/')
    expect(html).not.toContain('<svg onload')
    expect(html).not.toMatch(/49|root:/)
    expect(html).toContain('&#34;&gt;&lt;svg onload=alert(1)&gt;&#39;&lt;%= 7*7 %&gt;')
  })

  test('links to nothing but http, https and its own origin', async () => {
    const consent = { action: '/', csrf: 'c', clientName: 'A', personLabel: 'P', redirectHost: 'h' }
    const asked = { asked: { details: [], items: [], claims: [], ownClaims: [] } }
    for (const uri of [
      'javascript:alert(1)',
      'JaVaScript:alert(1)',
      ' javascript:1',
      'data:text/html,x',
      'vbscript:x',
    ]) {
      const model = { ...consent, ...asked, clientUri: uri, policyUri: uri, clientLogo: uri }
      const { text } = await request(server(model, {}, { name: 'consent/consent' }, 'title'))
        .get('/')
        .expect(422)
      expect(text).not.toContain(uri)
    }
  })

  test.each([
    ['its template is missing', 'no/such-page', 'title', 'ENOENT'],
    ['it has no words for its title', 'error/error', 'no-such-word', 'no words for no-such-word'],
  ] as const)('is an error where %s', async (_, name, title, message) => {
    const seen: unknown[] = []
    await request(server({ message: 'bug' }, {}, { name }, title, (error) => seen.push(error))).get('/')
    expect(String(seen)).toContain(message)
  })
})

describe('every page of views/', () => {
  test('has a sample here', () => {
    const pages = templates.filter((file) => !file.startsWith('parts') && file !== 'layout.ejs')
    const sampled = new Set(samples.map((sample) => `${sample.view}.ejs`))
    expect(pages.filter((file) => !sampled.has(file.replaceAll('\\', '/')))).toEqual([])
  })

  test.each(samples)('$label has one h1, one main, a language, and nothing inline', async (sample) => {
    const { text: html } = await request(preview).get(`/${sample.label}`).expect(200)
    expect(html).toContain('<html lang="en">')
    expect(count(html, /<title>[^<]+<\/title>/g)).toBe(1)
    expect(count(html, /<h1[ >]/g)).toBe(1)
    expect(count(html, /<main[ >]/g)).toBe(1)
    expect(count(html, /<form /g)).toBe(count(html, /<\/form>/g))
    const withoutValues = html.replaceAll(/"[^"]*"/g, '""')
    expect(withoutValues).not.toMatch(/<style|<script|<[a-z][^>]*\s(style|on[a-z]+)=/i)
    expect(html).not.toMatch(/<svg onload|undefined|\[object/)
    expect(html).not.toContain(hostile)
  })

  test.each(templates)('%s opens forms by the part and prints raw only what it includes', (file) => {
    const source = readFileSync(path.join(dir, file), 'utf8')
    expect(source.includes('<form')).toBe(file === path.join('parts', 'form.ejs'))
    const raw = [...source.matchAll(/<%-\s*(.*?)\s*-?%>/gs)].map((match) => match[1] ?? '')
    expect(
      raw.filter(
        (code) => !/^include\('\/parts\/[a-z-]+'[,)]/.test(code) && !(file === 'layout.ejs' && code === 'body'),
      ),
    ).toEqual([])
  })
})

describe('assets', () => {
  const url = assets.url('latchkey.css')

  test('are named after their content and may be kept for ever', async () => {
    expect(url).toMatch(/^\/assets\/latchkey\.[0-9a-f]{16}\.css$/)
    const answer = await request(server())
      .get(url)
      .expect(200)
      .expect('Content-Type', 'text/css; charset=utf-8')
      .expect('Cache-Control', 'public, max-age=31536000, immutable')
      .expect('X-Content-Type-Options', 'nosniff')
    expect(answer.text).toBe(readFileSync(path.join(dir, 'public/latchkey.css'), 'utf8'))
    const again = await request(server()).get(url).set('If-None-Match', String(answer.headers['etag'])).expect(304)
    expect(again.text).toBe('')
    await request(server()).get(assets.url('favicon.svg')).expect(200).expect('Content-Type', 'image/svg+xml')
  })

  test('answer HEAD without a body and refuse to be written', async () => {
    const head = await request(server()).head(url).expect(200)
    expect(Number(head.headers['content-length'])).toBeGreaterThan(1000)
    await request(server()).post(url).expect(405).expect('Allow', 'GET, HEAD')
  })

  test.each([
    '/assets/latchkey.css',
    '/assets/',
    `${url}/`,
    `${url}%00`,
    '/assets/../../package.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/..\\..\\package.json',
    '/assets/__proto__',
    '/assets/constructor',
  ])('answer 404 for %s', async (target) => {
    const answer = await request(server()).get(target)
    expect(answer.status).not.toBe(200)
    expect(answer.text).not.toContain('latchkey"')
  })

  test('live under the path of the issuer', async () => {
    const below = loadAssets(path.join(dir, 'public'), '/id/')
    expect(below.url('latchkey.css')).toBe(`/id${url}`)
    const app = new Koa().use(below.middleware)
    await request(app.callback()).get(`/id${url}`).expect(200)
    await request(app.callback()).get(url).expect(404)
  })

  test('refuse a name that is not there and a file of an unknown type', () => {
    expect(() => assets.url('nothing.css')).toThrow('nothing.css')
    expect(() => assets.url('__proto__')).toThrow('__proto__')
    expect(() => loadAssets(path.join(dir, 'parts'))).toThrow('no content type')
  })
})

function server(
  model: object = {},
  state: object = {},
  page: View<object, Record<string, unknown>> = view('error/error'),
  title = 'title.nothing-here',
  onError: (error: unknown) => void = () => {},
) {
  const app = new Koa()
  app.on('error', onError)
  app.use(assets.middleware)
  app.use(language('en'))
  app.use(viewMiddleware({ dir, cache: true, assets, words: openWords(readCatalogues(dir)) }))
  app.use(async (ctx) => {
    if (ctx.path !== '/') return
    Object.assign(ctx.state, state)
    ctx.status = 422
    await renderPage(ctx, page, title, model)
  })
  return app.callback()
}
