// A person's browser, as far as the pages of a sign-in need one: it keeps cookies by path and sends forms back.
import type { Answer, HttpClient } from './http.ts'

export interface VirtualBrowser {
  /** One request; a redirect is an answer like any other. Addresses may be absolute, on the server. */
  get(address: string): Promise<Answer>
  /** Sends the page's form with its hidden fields and these. */
  submit(page: Answer, fields: Readonly<Record<string, string>>): Promise<Answer>
}

interface Cookie {
  readonly pair: string
  readonly path: string
}

export function virtualBrowser(http: HttpClient): VirtualBrowser {
  const cookies = new Map<string, Cookie>()

  const send = async (path: string, form?: Readonly<Record<string, string>>): Promise<Answer> => {
    const sent = [...cookies.values()].filter((cookie) => path.startsWith(cookie.path)).map(({ pair }) => pair)
    const headers: Record<string, string> = sent.length === 0 ? {} : { cookie: sent.join('; ') }
    const answer = await http.send({ path, headers, ...(form ? { form } : {}) })
    for (const line of answer.headers['set-cookie'] ?? []) keep(cookies, line)
    return answer
  }

  return {
    get: (address) => send(pathOf(address)),
    submit: (page, fields) => {
      const action = /<form[^>]*\saction="([^"]*)"/.exec(page.body)?.[1]
      if (action === undefined)
        throw new Error(`there is no form on the page (${page.status}): ${page.body.slice(0, 300)}`)
      return send(pathOf(action), { ...hiddenFields(page.body), ...fields })
    },
  }
}

function pathOf(address: string): string {
  return address.startsWith('/') ? address : address.replace(/^https?:\/\/[^/]+/, '')
}

function keep(cookies: Map<string, Cookie>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ')
  const [name = '', value = ''] = pair.split('=')
  const path = attributes.find((attribute) => attribute.startsWith('path='))?.slice(5) ?? '/'
  // whoever takes a cookie back sends it empty
  if (value === '') cookies.delete(`${name} ${path}`)
  else cookies.set(`${name} ${path}`, { pair, path })
}

function hiddenFields(html: string): Record<string, string> {
  const inputs = html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value]))
}
