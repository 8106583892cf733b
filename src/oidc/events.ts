import type { errors, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Services } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { factsOf } from '#platform/http/request-facts.ts'

type EventNeeds = Pick<Services, 'log' | 'metrics' | 'database'>

/**
 * Writes what the protocol decided into the log, and counts what it refused: who came with which client, and the rule that
 * refused (the library's `error_detail` is internal and goes nowhere else). Listeners run inside the request, so they neither throw nor wait;
 * none of them sees a token or a code. That tokens were issued or ended is said once it is stored.
 */
export function logEvents(provider: Provider, { log, metrics, database }: EventNeeds): void {
  const refused = (event: string) => (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) => {
    metrics.refusals.inc({ endpoint: event.replace(/\.error$/, ''), error: error.error })
    log.info({ ...about(ctx), event, error: error.error, reason: reasonOf(error) }, 'the protocol refused a request')
  }
  provider.on('authorization.error', refused('authorization.error'))
  provider.on('grant.error', refused('grant.error'))
  provider.on('introspection.error', refused('introspection.error'))
  provider.on('revocation.error', refused('revocation.error'))
  provider.on('userinfo.error', refused('userinfo.error'))
  provider.on('end_session.error', refused('end_session.error'))
  provider.on('end_session_confirm.error', refused('end_session_confirm.error'))
  provider.on('backchannel_authentication.error', refused('backchannel_authentication.error'))
  provider.on('device_authorization.error', refused('device_authorization.error'))
  provider.on('code_verification.error', refused('code_verification.error'))
  provider.on('device_resume.error', refused('device_resume.error'))
  provider.on('pushed_authorization_request.error', refused('pushed_authorization_request.error'))
  provider.on('registration_create.error', refused('registration_create.error'))
  provider.on('registration_read.error', refused('registration_read.error'))
  provider.on('registration_update.error', refused('registration_update.error'))
  provider.on('registration_delete.error', refused('registration_delete.error'))
  const registered = (event: string, words: string) => (ctx: KoaContextWithOIDC) =>
    log.info({ ...about(ctx), event }, words)
  provider.on('registration_create.success', registered('registration_create.success', 'a client registered itself'))
  provider.on('registration_update.success', registered('registration_update.success', 'a client changed itself'))
  provider.on('registration_delete.success', registered('registration_delete.success', 'a client removed itself'))
  provider.on('server_error', (ctx, error) => {
    // an error of ours is logged where it is answered
    if (!(error instanceof AppError)) log.error({ ...about(ctx), err: error }, 'the protocol library failed')
  })
  provider.on('authorization.success', (ctx) =>
    log.info({ ...about(ctx), event: 'authorization.success' }, 'signed in to a client'),
  )
  provider.on('grant.success', (ctx) =>
    database.whenStored(() =>
      log.info({ ...about(ctx), event: 'grant.success', grant: ctx.oidc.params?.['grant_type'] }, 'tokens issued'),
    ),
  )
  provider.on('grant.revoked', (ctx) =>
    database.whenStored(() => log.info({ ...about(ctx), event: 'grant.revoked' }, 'a grant and its tokens ended')),
  )
  provider.on('end_session.success', (ctx) => log.info({ ...about(ctx), event: 'end_session.success' }, 'signed out'))
}

/** A parser's error quotes what was sent, which may be a secret. */
function reasonOf({ cause, error_detail: detail, error_description: description }: errors.OIDCProviderError) {
  return cause instanceof SyntaxError ? description : (detail ?? description)
}

function about(ctx: KoaContextWithOIDC) {
  const { client, account, session } = ctx.oidc ?? {}
  return { id: factsOf(ctx.req).id, client_id: client?.clientId, sub: account?.accountId ?? session?.accountId }
}
