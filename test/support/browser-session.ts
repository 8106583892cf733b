// A browser without a screen: keeps cookies by path, follows redirects on the server, reads and sends forms. It speaks
// HTTP only, so a test sees what any script sees. (Real Chromium is in browser.ts.)
export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

export interface BrowserSession {
  /** Goes to the URL and follows redirects while they stay on the server. A redirect elsewhere is the last page. */
  open(url: string): Promise<Page>
  /** Sends the page's form with its hidden fields and these. */
  submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page>
  /** One request as it is, with the cookies; no redirect is followed. */
  request(url: string, init?: RequestInit): Promise<Page>
  readonly cookies: ReadonlyMap<string, Cookie>
}

/**
 * @param origin of the server; what is elsewhere is not visited
 * @param headers sent with each request
 * @param given cookies that it has from the start
 */
export function browserSession(
  origin: string,
  headers: Readonly<Record<string, string>> = {},
  given: readonly Cookie[] = [],
): BrowserSession {
  const cookies = new Map(given.map((cookie) => [`${cookie.name} ${cookie.path}`, cookie]))

  const request: BrowserSession['request'] = async (url, init = {}) => {
    const target = new URL(url, origin)
    const sent = new Headers({ accept: 'text/html', ...headers })
    for (const [name, value] of new Headers(init.headers)) sent.set(name, value)
    const jar = [...cookies.values()]
      .filter(({ path }) => target.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
    if (jar.length > 0) sent.set('cookie', jar.join('; '))
    const response = await fetch(target, { ...init, headers: sent, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) keep(cookies, line)
    return { url: target.href, status: response.status, headers: response.headers, body: await response.text() }
  }

  const follow = async (page: Page): Promise<Page> => {
    let current = page
    for (let hops = 0; hops < 20; hops += 1) {
      const location = current.headers.get('location')
      if (current.status < 300 || current.status > 399 || location === null) return current
      const next = new URL(location, current.url)
      if (next.origin !== new URL(origin).origin) return current
      current = await request(next.href)
    }
    throw new Error('redirected without end')
  }

  return {
    cookies,
    request,
    open: async (url) => follow(await request(url)),
    async submit(page, fields) {
      const action = attribute(page.body, /<form[^>]*\saction="([^"]*)"/)
      const body = new URLSearchParams({ ...hiddenFields(page.body), ...fields })
      return follow(await request(new URL(action, page.url).href, { method: 'POST', body }))
    },
  }
}

/** The hidden fields of a page's first form. */
export function hiddenFields(html: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [input] of html.matchAll(/<input[^>]*type="hidden"[^>]*>/g))
    fields[attribute(input, /\sname="([^"]*)"/)] = attribute(input, /\svalue="([^"]*)"/)
  return fields
}

/** Where a page was redirected to. */
export function locationOf(page: Page): URL {
  const location = page.headers.get('location')
  if (location === null) throw new Error(`expected a redirect, got ${page.status}: ${page.body.slice(0, 500)}`)
  return new URL(location, page.url)
}

/** `data-error` of an error page, or undefined. */
export function errorOf({ body }: Page): string | undefined {
  return /data-error="([^"]*)"/.exec(body)?.[1]
}

function keep(cookies: Map<string, Cookie>, line: string): void {
  const [pair = '', ...attributes] = line.split(/;\s*/)
  const [name = '', value = ''] = pair.split(/=(.*)/s)
  const path = attributes.find((part) => part.toLowerCase().startsWith('path='))?.slice(5) ?? '/'
  const expires = attributes.find((part) => part.toLowerCase().startsWith('expires='))?.slice(8)
  const key = `${name} ${path}`
  if (value === '' || (expires !== undefined && Date.parse(expires) < Date.now())) cookies.delete(key)
  else cookies.set(key, { name, value, path })
}

function attribute(html: string, pattern: RegExp): string {
  const found = pattern.exec(html)?.[1]
  if (found === undefined) throw new Error(`nothing on the page matches ${pattern}: ${html.slice(0, 500)}`)
  return found
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
