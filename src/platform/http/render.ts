// Pages: koa-views with an engine of our own. The engine that koa-views brings hands one object to EJS
// both as data and as options, so that a local named `client`, `escape` or `delimiter` changes how the
// template is compiled (CVE-2022-29078). Here the options are fixed when the server starts, and a template
// sees four names and nothing else: `shell` (the frame), `page` (its view model), `asset` and, in the
// layout, `body`. Each room declares its pages with `view<Model>('room/page')`; this file knows none of them.

import path from 'node:path'
import ejs from 'ejs'
import type { ExtendableContext, Middleware } from 'koa'
import views from 'koa-views'
import type { Assets } from './assets.ts'

declare const modelOf: unique symbol

/** A template of `views/`, tied to the type of the model it is given. */
export interface View<M extends object> {
  readonly name: string
  readonly [modelOf]?: (model: M) => void
}

/** What the layout needs of every page. `title` is completed with the product's name; `lang` is a BCP 47 tag. */
export interface Shell {
  title: string
  lang: string
  /** For pages with tables or several columns. */
  wide?: boolean
}

/** Where the templates are, whether they are compiled once (production) or anew each time, and what they link to. */
export interface ViewOptions {
  dir: string
  cache: boolean
  assets: Pick<Assets, 'url'>
}

/** Declares the page `views/<name>.ejs` and the type of its model. */
export function view<M extends object>(name: `${string}/${string}`): View<M> {
  return { name }
}

/** Gives every later middleware `ctx.render`; call it through `renderPage`, which knows the types. */
export function viewMiddleware(options: ViewOptions): Middleware {
  const document = documentWriter(options)
  const engine = (file: string, { shell, page }: Record<string, unknown>) => document(file, shell, page)
  return views(path.resolve(options.dir), { extension: 'ejs', engineSource: { ejs: engine } })
}

/** Renders the same pages without a request. */
export function viewRenderer(
  options: ViewOptions,
): <M extends object>(view: View<M>, shell: Shell, model: NoInfer<M>) => Promise<string> {
  const document = documentWriter(options)
  return (view, shell, model) => document(path.resolve(options.dir, `${view.name}.ejs`), shell, model)
}

/**
 * Answers with a page. Sets the type and `Cache-Control: no-store` (RFC 9111 §5.2.2.5), since every page
 * carries something of one person or one transaction; the status is the caller's. Throws what the template throws.
 */
export async function renderPage<M extends object>(
  ctx: ExtendableContext,
  view: View<M>,
  shell: Shell,
  model: NoInfer<M>,
): Promise<void> {
  await ctx.render(`${view.name}.ejs`, { shell, page: model })
  ctx.set('Cache-Control', 'no-store')
}

function documentWriter({ dir, cache, assets }: ViewOptions) {
  const root = path.resolve(dir)
  const layout = path.join(root, 'layout.ejs')
  // strict: no `with`, so no member of a model can shadow the escape function or `include`.
  const options: ejs.Options = {
    cache,
    root,
    strict: true,
    async: false,
    destructuredLocals: ['shell', 'page', 'asset', 'body'],
  }
  return async (file: string, shell: unknown, page: unknown): Promise<string> => {
    const data = { shell, page, asset: assets.url }
    const body = await ejs.renderFile(file, data, options)
    return ejs.renderFile(layout, { ...data, body }, options)
  }
}
