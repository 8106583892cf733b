// Stylesheet, icons and the few scripts of the pages. They are read once at the start, named after their
// content and kept in memory: a request is one lookup in a map, so there is no path to play tricks with, and
// a browser may keep a file for ever because a changed file has another name.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Middleware } from 'koa'

export interface Assets {
  /** The public path of a file of the folder, with its hash; throws for a file that is not there. */
  url(name: string): string
  middleware: Middleware
}

interface Asset {
  body: Buffer
  type: string
  etag: string
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/**
 * Reads all files of a flat folder. `base` is the path of the issuer (`/id`, or nothing), under which they
 * are served as `<base>/assets/<name>.<hash>.<ext>`. Throws for a file whose type is not known here.
 */
export function loadAssets(dir: string, base = ''): Assets {
  const prefix = `${base.replace(/\/+$/, '')}/assets/`
  const urls = new Map<string, string>()
  const assets = new Map<string, Asset>()
  for (const name of readdirSync(dir)) {
    const { url, asset } = readAsset(dir, name, prefix)
    urls.set(name, url)
    assets.set(url, asset)
  }
  const url = (name: string): string => {
    const found = urls.get(name)
    if (found === undefined) throw new Error(`There is no asset ${JSON.stringify(name)} in ${dir}`)
    return found
  }
  return { url, middleware: serve(prefix, assets) }
}

function serve(prefix: string, assets: ReadonlyMap<string, Asset>): Middleware {
  return (ctx, next) => {
    if (!ctx.path.startsWith(prefix)) return next()
    const asset = assets.get(ctx.path)
    ctx.set('X-Content-Type-Options', 'nosniff')
    if (!asset) {
      ctx.status = 404
      ctx.set('Cache-Control', 'no-store')
      ctx.body = 'Not found\n'
      return
    }
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.status = 405
      ctx.set('Allow', 'GET, HEAD')
      ctx.body = 'Method not allowed\n'
      return
    }
    ctx.status = 200
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
    ctx.set('ETag', asset.etag)
    ctx.body = asset.body
    ctx.set('Content-Type', asset.type)
    if (ctx.fresh) ctx.status = 304
  }
}

function readAsset(dir: string, name: string, prefix: string): { url: string; asset: Asset } {
  const { ext, name: stem } = path.parse(name)
  const type = types[ext]
  if (type === undefined) throw new Error(`${path.join(dir, name)}: no content type is known for ${ext || name}`)
  const body = readFileSync(path.join(dir, name))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  return { url: `${prefix}${stem}.${hash}${ext}`, asset: { body, type, etag: `"${hash}"` } }
}
