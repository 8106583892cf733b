/**
 * The protocol library's errors as answers a person and a developer can use. The library's `error_description` is for
 * the developer and was written to be shown; its `error_detail` is internal and goes to the log only.
 */
import type { ErrorOut, errors, KoaContextWithOIDC } from 'oidc-provider'
import type { RefusalWords } from '#platform/errors.ts'
import { showRefusal } from '#platform/http/errors.ts'

export type ErrorPage = (
  ctx: KoaContextWithOIDC,
  out: ErrorOut,
  error: errors.OIDCProviderError | Error,
) => Promise<void>

/** Shown where the library may not, or cannot, send the browser back to the relying party. */
export const renderProtocolError: ErrorPage = async (ctx, out) => {
  const signingOut = ctx.oidc.route.startsWith('end_session') && out.error !== 'server_error'
  const words = signingOut ? SIGN_OUT_WORDS : (WORDS[out.error] ?? DEFAULT_WORDS)
  await showRefusal(ctx, {
    status: ctx.status >= 400 ? ctx.status : 400,
    code: out.error,
    ...words,
    signOutHref: signingOut ? ctx.oidc.urlFor('end_session') : undefined,
    description: out.error_description ?? out.error,
    details: out.error === 'server_error' ? undefined : detailsOf(ctx, out),
  })
}

/** The library's description, and the value that it is about where that has no character that RFC 6749 §5.2 bars. */
function detailsOf({ oidc }: KoaContextWithOIDC, { error, error_description }: ErrorOut): string | undefined {
  const name = PARAMETER[error]
  const value = name === undefined ? undefined : oidc.params?.[name]
  if (typeof value !== 'string' || !/^[!#-[\]-~]+$/.test(value)) return error_description
  return `${error_description ?? error} (${name}: ${value})`
}

const PARAMETER: Readonly<Record<string, string>> = {
  invalid_client: 'client_id',
  invalid_redirect_uri: 'redirect_uri',
}

const DEFAULT_WORDS: RefusalWords = {
  title: 'title.cannot-go-on',
  message: 'not-allowed',
  hint: 'hint.tell-the-app',
}

/** Whatever is wrong with an app's request, the person who wanted to sign out still can: without the app. */
const SIGN_OUT_WORDS: RefusalWords = {
  title: 'title.not-signed-out',
  message: 'sign-out-not-allowed',
  hint: 'hint.sign-out-here',
}

const WORDS: Readonly<Record<string, RefusalWords>> = {
  invalid_client: { title: 'title.unknown-app', message: 'unknown-app', hint: 'hint.tell-the-app' },
  invalid_redirect_uri: { title: 'title.wrong-return', message: 'wrong-app', hint: 'hint.tell-the-app' },
  session_not_found: { title: 'title.start-again', message: 'sign-in-gone', hint: 'hint.from-the-app' },
  server_error: { title: 'title.wrong', message: 'bug', hint: 'hint.bug' },
}
