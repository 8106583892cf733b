/**
 * The protocol library's errors as answers a person and a developer can use. The library's `error_description` is for
 * the developer and was written to be shown; its `error_detail` is internal and goes to the log only.
 */
import type { ErrorOut, errors, KoaContextWithOIDC } from 'oidc-provider'
import { showRefusal, type Refusal } from '#platform/http/errors.ts'

export type ErrorPage = (
  ctx: KoaContextWithOIDC,
  out: ErrorOut,
  error: errors.OIDCProviderError | Error,
) => Promise<void>

/** Shown where the library may not, or cannot, send the browser back to the relying party. */
export const renderProtocolError: ErrorPage = async (ctx, out) => {
  const words = WORDS[out.error] ?? DEFAULT_WORDS
  await showRefusal(ctx, {
    status: ctx.status >= 400 ? ctx.status : 400,
    code: out.error,
    ...words,
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

type Words = Pick<Refusal, 'title' | 'message' | 'hint'>

const WRONG_APP = 'The app that sent you here is set up differently from what this server knows about it.'
const TELL_THE_APP = 'Go back to the app and try again. If it stays, tell the people who run it, with the error id.'

const DEFAULT_WORDS: Words = {
  title: 'This sign-in cannot go on',
  message: 'The app that sent you here asked for something that this server does not allow.',
  hint: TELL_THE_APP,
}

const WORDS: Readonly<Record<string, Words>> = {
  invalid_client: {
    title: 'Unknown app',
    message: 'The app that sent you here is not known to this server, or was switched off.',
    hint: TELL_THE_APP,
  },
  invalid_redirect_uri: { title: 'Wrong return address', message: WRONG_APP, hint: TELL_THE_APP },
  session_not_found: {
    title: 'Please start again',
    message: 'This sign-in has expired, was finished already, or was started in another browser.',
    hint: 'Go back to the app and sign in from there.',
  },
  server_error: {
    title: 'Something went wrong',
    message: 'The server met a problem and could not answer. It is not your fault.',
    hint: 'Try again in a moment. If it stays, give the error id to the people who run this server.',
  },
}
