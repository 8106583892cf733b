import type { Context, Middleware } from 'koa'
import type { Services } from '#core/services.ts'
import { OutboundError, type GuardedFetch } from '#platform/fetch.ts'
import { onPaths } from '#platform/http/on-paths.ts'
import { DOCUMENTS } from './document-caching.ts'
import { outboundFetch } from './outbound.ts'

const PUSHED = 'urn:ietf:params:oauth:request_uri:'
/** Names nothing that was pushed, so that the library answers with invalid_request_uri, where it answers all else. */
const UNREADABLE = `${PUSHED}unreadable`
const SIGNED_JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Where such requests arrive, and where it is said that they may. */
const CONCERNED = new Set(['/authorize', ...DOCUMENTS])

type Needs = Pick<Services, 'clients' | 'log' | 'metrics' | 'settings'>

/**
 * Takes requests by reference (OpenID Connect Core 1.0 §6.2), which the protocol library knows from /par only: what
 * stands at the `request_uri` goes on as `request`, so that it is judged like any signed request. Only addresses that
 * the client has registered are called, written exactly so; whoever sends a browser here with another is left to the
 * library, which calls nobody and says request_uri_not_supported.
 */
export function requestsByReference(services: Needs): Middleware {
  const fetch = outboundFetch(services)
  return onPaths(CONCERNED, async (ctx, next) => {
    if (ctx.path === '/authorize') await replaceReference(ctx, services, fetch)
    await next()
    const { body } = ctx
    if (typeof body === 'object' && body !== null && 'request_uri_parameter_supported' in body)
      Object.assign(body, { request_uri_parameter_supported: true, require_request_uri_registration: true })
  })
}

async function replaceReference(ctx: Context, { clients, log }: Needs, fetch: GuardedFetch): Promise<void> {
  const { request_uri: uri, ...others } = ctx.query
  const { client_id: id, request } = others
  if (typeof uri !== 'string' || uri.startsWith(PUSHED) || typeof id !== 'string' || request !== undefined) return
  const client = await clients.find(id)
  const registered = client?.disabled === false ? client.metadata['request_uris'] : undefined
  if (!Array.isArray(registered) || !registered.includes(uri)) return
  const read = await requestAt(fetch, uri)
  if ('reason' in read) log.info({ client_id: id, ...read }, 'a request by reference could not be read')
  ctx.query = { ...others, ...('reason' in read ? { request_uri: UNREADABLE } : read) }
}

async function requestAt(fetch: GuardedFetch, uri: string): Promise<{ request: string } | { reason: string }> {
  try {
    const answer = await fetch(uri, { headers: { accept: 'application/oauth-authz-req+jwt, application/jwt' } })
    const request = (await answer.text()).trim()
    if (answer.status === 200 && SIGNED_JWT.test(request)) return { request }
    return { reason: `the request_uri answered with status ${answer.status}, and no signed request` }
  } catch (error) {
    if (error instanceof OutboundError) return { reason: error.message }
    throw error
  }
}
