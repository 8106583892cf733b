import { createHash } from 'node:crypto'
import type { Middleware } from 'koa'
import { onPaths } from '#platform/http/on-paths.ts'

/**
 * How long relying parties may keep discovery and JWKS, in seconds. Signing keys are published far longer ahead than
 * this (KEYS_PUBLISH_AHEAD_SECONDS), so that no copy is ever too old to verify with.
 */
const MAX_AGE_SECONDS = 300

/** Their paths below the issuer's. */
export const DOCUMENTS: ReadonlySet<string> = new Set([
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
])

/** Lets relying parties keep the public documents for a while, and ask cheaply whether they changed (RFC 9110 §13.1.2). */
export const documentCaching: Middleware = onPaths(DOCUMENTS, async (ctx, next) => {
  await next()
  if (ctx.status !== 200) return
  const text = JSON.stringify(ctx.body, withoutEmptyLists)
  const { type } = ctx
  ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  ctx.set('ETag', etag)
  ctx.body = text
  ctx.type = type
  if (isKnown(ctx.get('If-None-Match'), etag)) ctx.status = 304
})

/** What is not offered at all is not named (RFC 8414 §3.2). */
function withoutEmptyLists(name: string, value: unknown): unknown {
  return name.endsWith('_supported') && Array.isArray(value) && value.length === 0 ? undefined : value
}

/** Not Koa's `fresh`, which gives up at Cache-Control: no-cache: Node's fetch sends that with every If-None-Match. */
function isKnown(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(',').some((known) => known.trim().replace(/^W\//, '') === etag)
}
