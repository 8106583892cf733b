// Pages: koa-views with an engine of our own. The engine that koa-views brings hands one object to EJS
// both as data and as options, so that a local named `client`, `escape` or `delimiter` changes how the
// template is compiled (CVE-2022-29078). Here the options are fixed when the server starts, and a template
// sees five names and nothing else: `shell` (the frame), `page` (its view model), `say` (its words in the
// person's language), `asset` and, in the layout, `body`. Each room declares its pages with
// `view<Model, typeof words>('room/page')`; this file knows none of them.

import path from 'node:path'
import ejs from 'ejs'
import type { Context, Middleware } from 'koa'
import views from 'koa-views'
import type { Assets } from './assets.ts'
import { localeOf, type Locale } from './language.ts'
import type { Words } from './words.ts'

declare const modelOf: unique symbol
declare const wordOf: unique symbol

/** A template of `views/`, tied to the type of the model it is given and to the keys of its words. */
export interface View<M extends object, W extends object> {
  readonly name: string
  readonly [modelOf]?: (model: M) => void
  readonly [wordOf]?: (word: keyof W) => void
}

/** What the layout needs of every page: the key of its title, which the product's name completes, and its language. */
interface Shell {
  readonly title: string
  readonly lang: Locale
}

/** Where the templates are, whether they are compiled once (production: a new template needs a restart) or anew each time, and what is put in. */
export interface ViewOptions {
  readonly dir: string
  readonly cache: boolean
  readonly assets: Pick<Assets, 'url'>
  readonly words: Words
}

/** Declares the page `views/<name>.ejs`, the type of its model, and the words.json beside it. */
export function view<M extends object, W extends object = Record<string, unknown>>(
  name: `${string}/${string}`,
): View<M, W> {
  return { name }
}

/** Gives every later middleware `ctx.render`; call it through `renderPage`, which knows the types. */
export function viewMiddleware(options: ViewOptions): Middleware {
  const document = documentWriter(options)
  // boundary: koa-views hands on what renderPage gave it
  const engine = (file: string, { shell, page }: Record<string, unknown>) => document(file, shell as Shell, page)
  return views(path.resolve(options.dir), { extension: 'ejs', engineSource: { ejs: engine } })
}

/**
 * Answers with a page in the language of the request. Sets the type, `Content-Language`, `Vary` and `Cache-Control:
 * no-store` (RFC 9111 §5.2.2.5), since every page carries something of one person or one transaction; the status is
 * the caller's. Where the model has an `error`, the title begins with that. Throws what the template throws.
 * @param title a key of the page's words
 */
export async function renderPage<M extends object, W extends object>(
  ctx: Context,
  view: View<M, W>,
  title: keyof NoInfer<W> & string,
  model: NoInfer<M>,
): Promise<void> {
  const shell: Shell = { title, lang: localeOf(ctx) }
  await ctx.render(`${view.name}.ejs`, { shell, page: model })
  ctx.set('Content-Language', shell.lang)
  ctx.vary('Accept-Language')
  ctx.set('Cache-Control', 'no-store')
}

function documentWriter({ dir, cache, assets, words }: ViewOptions) {
  const root = path.resolve(dir)
  const layout = path.join(root, 'layout.ejs')
  // strict: no `with`, so no member of a model can shadow the escape function or `include`.
  const options: ejs.Options = {
    cache,
    root,
    strict: true,
    async: false,
    destructuredLocals: ['shell', 'page', 'say', 'asset', 'body'],
  }
  return async (file: string, { title, lang }: Shell, page: unknown): Promise<string> => {
    const say = words(lang, path.basename(path.dirname(file)))
    const data = { shell: { title: say(title), lang }, page, say, asset: assets.url }
    const body = await ejs.renderFile(file, data, options)
    return ejs.renderFile(layout, { ...data, body }, options)
  }
}
