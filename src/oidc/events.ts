import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { ActorKind } from '#core/audit/event.ts'
import type { Services } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { noteEvent, noteProtocolRefusal } from './audit-notes.ts'
import { receivedOf, withoutSecrets } from './received.ts'

const REFUSALS = [
  'authorization.error',
  'grant.error',
  'introspection.error',
  'revocation.error',
  'userinfo.error',
  'end_session.error',
  'end_session_confirm.error',
  'end_session_success.error',
  'backchannel_authentication.error',
  'device_authorization.error',
  'code_verification.error',
  'device_resume.error',
  'pushed_authorization_request.error',
  'registration_create.error',
  'registration_read.error',
  'registration_update.error',
  'registration_delete.error',
] as const

const REGISTERED = [
  ['registration_create.success', 'a client registered itself'],
  ['registration_update.success', 'a client changed itself'],
  ['registration_delete.success', 'a client removed itself'],
] as const

/** Grants that begin a family of tokens; a refresh goes on with one, and a machine's token is none. */
const BEGINS_NO_FAMILY = new Set<unknown>(['refresh_token', 'client_credentials'])

type EventNeeds = Pick<Services, 'log' | 'metrics' | 'database'>

/**
 * Writes what the protocol decided into the log, counts what it refused, and notes it for the audit: who came with which
 * client, and the rule that refused (the library's `error_detail` is internal and goes nowhere else). Listeners run
 * inside the request, so they neither throw nor wait; none of them hands on a token or a code. That somebody signed in, and
 * that tokens were issued or ended, is said once it is stored.
 */
export function tellEvents(provider: Provider, { log, metrics, database }: EventNeeds): void {
  // boundary: the library's types name its events one by one
  const on = provider.on.bind(provider) as (
    event: string,
    listener: (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) => void,
  ) => void
  for (const event of REFUSALS) {
    on(event, (ctx, error) => {
      const reason = reasonOf(error)
      metrics.refusals.inc({ endpoint: event.replace(/\.error$/, ''), error: error.error })
      log.info({ ...about(ctx), event, error: error.error, reason }, 'the protocol refused a request')
      noteProtocolRefusal(ctx, {
        by: refusedActor(ctx, error),
        accountId: accountIdOf(ctx),
        clientId: ctx.oidc.client?.clientId,
        rule: reason ?? error.error,
        facts: { error: error.error, event, description: told(error), received: receivedOf(ctx) },
      })
    })
  }
  for (const [event, words] of REGISTERED) on(event, (ctx) => log.info({ ...about(ctx), event }, words))

  provider.on('server_error', (ctx, error) => {
    // an error of ours is logged where it is answered
    if (!(error instanceof AppError)) log.error({ ...about(ctx), err: error }, 'the protocol library failed')
  })
  provider.on('authorization.success', (ctx) => {
    database.whenStored(() => log.info({ ...about(ctx), event: 'authorization.success' }, 'signed in to a client'))
    const answer = ctx.oidc.params?.['response_type']
    // without a code, or beside one, tokens leave with this answer
    if (typeof answer === 'string' && answer.includes('token'))
      noteFamily(ctx, 'token_family.started', 'person', { grant: answer })
  })
  provider.on('grant.success', (ctx) => {
    const grant = ctx.oidc.params?.['grant_type']
    database.whenStored(() => log.info({ ...about(ctx), event: 'grant.success', grant }, 'tokens issued'))
    if (!BEGINS_NO_FAMILY.has(grant)) noteFamily(ctx, 'token_family.started', 'client', { grant: String(grant) })
  })
  provider.on('grant.revoked', (ctx) => {
    database.whenStored(() => log.info({ ...about(ctx), event: 'grant.revoked' }, 'a grant and its tokens ended'))
    // what ends with a sign-out is told by that
    if (ctx.path !== '/logout/confirm') noteFamily(ctx, 'token_family.revoked', 'client')
  })
  provider.on('end_session.success', (ctx) => {
    log.info({ ...about(ctx), event: 'end_session.success' }, 'signed out')
    const everywhere = ctx.oidc.params?.['logout'] !== undefined
    noteEvent(ctx, {
      type: 'logout.succeeded',
      by: 'person',
      accountId: accountIdOf(ctx),
      clientId: ctx.oidc.client?.clientId,
      facts: { session_ended: everywhere },
    })
  })
}

function noteFamily(
  ctx: KoaContextWithOIDC,
  type: 'token_family.started' | 'token_family.revoked',
  by: ActorKind,
  facts: { readonly grant?: string } = {},
): void {
  noteEvent(ctx, { type, by, accountId: accountIdOf(ctx), clientId: ctx.oidc.client?.clientId, facts })
}

/** A parser's error quotes what was sent, which may be a secret. */
function reasonOf(error: errors.OIDCProviderError): string | undefined {
  const { cause, error_detail: detail } = error
  return cause instanceof SyntaxError || detail === undefined ? told(error) : withoutSecrets(detail)
}

/** What the client hears may quote an address that it sent, with a password in it. */
function told({ error_description: description }: errors.OIDCProviderError): string | undefined {
  return description === undefined ? undefined : withoutSecrets(description)
}

/** What a browser asks for: the client that it names had no part in it. */
const BROWSED = /^(authorization|resume|end_session|code_verification|device_resume)/

/** A client that could not prove who it is, is nobody. */
function refusedActor({ oidc }: KoaContextWithOIDC, error: errors.OIDCProviderError): ActorKind {
  if (oidc.session?.accountId !== undefined) return 'person'
  const isProven = oidc.client && !(error instanceof errors.InvalidClientAuth) && !BROWSED.test(oidc.route)
  return isProven ? 'client' : 'unknown'
}

function accountIdOf({ oidc }: KoaContextWithOIDC): string | undefined {
  // at revocation only the token knows whose it is
  const { RefreshToken, AccessToken } = oidc?.entities ?? {}
  return oidc?.account?.accountId ?? oidc?.session?.accountId ?? (RefreshToken ?? AccessToken)?.accountId
}

function about(ctx: KoaContextWithOIDC) {
  return { id: factsOf(ctx.req).id, client_id: ctx.oidc?.client?.clientId, sub: accountIdOf(ctx) }
}
