/**
 * What is kept of a refused request, so that it can be explained: parameters by an allow-list, none of which proves
 * anything, and of the others only that they were sent. Values that look like a secret all the same are hidden.
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import { isJsonObject } from '#platform/json-object.ts'
import { basicClientId } from './client-authentication.ts'

/** Parameters whose values are kept. */
const KEPT = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'prompt',
  'max_age',
  'acr_values',
  'resource',
  'code_challenge_method',
  'grant_type',
  'token_type_hint',
  'post_logout_redirect_uri',
  // of a registration
  'application_type',
  'token_endpoint_auth_method',
  'grant_types',
  'response_types',
  'redirect_uris',
  'post_logout_redirect_uris',
] as const

/** Parameters of which only is kept that they were sent. */
const SEEN = [
  'code',
  'code_challenge',
  'code_verifier',
  'refresh_token',
  'device_code',
  'client_secret',
  'client_assertion',
  'request',
  'request_uri',
  'id_token_hint',
  'login_hint',
  'nonce',
  'state',
  'claims',
] as const

const LONGEST = 500

/** The request as it may be remembered. */
export function receivedOf(ctx: KoaContextWithOIDC): Record<string, string | readonly string[]> {
  const { params, body } = ctx.oidc
  const sent: Readonly<Record<string, unknown>> = { ...ctx.query, ...members(body), ...defined(members(params)) }
  const kept = KEPT.flatMap((name) => {
    const value = shown(name === 'client_id' ? (sent[name] ?? basicClientId(ctx) ?? recordAsked(ctx)) : sent[name])
    return value === undefined ? [] : [[name, value] as const]
  })
  const seen = SEEN.filter((name) => sent[name] !== undefined)
  return { ...Object.fromEntries(kept), ...(seen.length > 0 && { also_sent: seen }), ...headers(ctx) }
}

/** How the client says who it is, and whether it proves that it holds a key: schemes, never what follows them. */
function headers(ctx: KoaContextWithOIDC): Record<string, string> {
  const scheme = /^(basic|bearer|dpop) /i.exec(ctx.get('Authorization'))?.[1]?.toLowerCase()
  return {
    ...(scheme !== undefined && { authorization_header: scheme }),
    ...(ctx.get('DPoP') !== '' && { dpop_header: 'sent' }),
  }
}

/** The client whose record is asked for (RFC 7592 §2). */
function recordAsked({ path }: KoaContextWithOIDC): string | undefined {
  return /^\/register\/([^/]+)$/.exec(path)?.[1]
}

function shown(value: unknown): string | readonly string[] | undefined {
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => withoutSecrets(String(item)))
  return typeof value === 'string' || typeof value === 'number' ? withoutSecrets(String(value)) : undefined
}

/** Of addresses, also within words, the password and what may be a secret in the query; else what has the shape of a token. */
export function withoutSecrets(value: string): string {
  if (/^[\w-]{43,}$/.test(value) || /^[\w-]+(\.[\w-]*){2,4}$/.test(value))
    return '[hidden: it has the shape of a secret]'
  return (
    value
      .replaceAll(/\/\/[^/?#\s]*@/g, '//[hidden]@')
      .replaceAll(/eyJ[\w.-]{8,}/g, '[hidden]')
      // before the pattern that goes back and forth, or a long value made for it would stop the server
      .slice(0, LONGEST)
      .replaceAll(
        /([?&#;](?:code|[^?;=&#]*(?:token|secret|pass|pwd|assertion|key|session|ticket|jwt)[^?;=&#]*)=)[^&#;\s]+/gi,
        '$1[hidden]',
      )
  )
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? { ...value } : {}
}

function defined(from: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined))
}
