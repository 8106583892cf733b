/**
 * The device authorization grant (RFC 8628), as far as the library has it: its three pages are the device room's, and
 * what is told of the device at the confirmation is kept beside its code. What the library lacks stands beside this
 * file: the pace of polls in polling.ts, the limit on guessing in user-codes.ts, two races in polled-codes.ts.
 */
import type { Context } from 'koa'
import { errors, type Client, type Configuration, type ErrorOut, type KoaContextWithOIDC } from 'oidc-provider'
import { z } from 'zod'
import { shownLogo } from '#core/clients/shown-logo.ts'
import type { DeviceCodeProblem, ProtocolPages } from '#core/feature.ts'
import { AppError } from '#platform/errors.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { clientSettings } from './clients.ts'
import { renderProtocolError } from './errors.ts'

/** The library's configuration of the flow. */
export type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>

/** RFC 8628 §3.2 `expires_in`: time to find a phone and sign in, and no more (§5.4). */
export const DEVICE_CODE_SECONDS = 600

const MASK = '****-****'
const MAX_TYPED = 64
const MAX_USER_AGENT = 160

/** Where a code that came with the address waits until the page is drawn. */
const CODE_IN_ADDRESS = 'codeInAddress'

/** The library's answers to a typed code, by the name of the error: it publishes neither classes nor codes. */
const PROBLEMS: ReadonlyMap<string, DeviceCodeProblem> = new Map([
  ['NoCodeError', 'missing'],
  ['NotFoundError', 'unknown'],
  ['ExpiredError', 'expired'],
  ['AlreadyUsedError', 'used'],
])

const SERVER_ERROR: ErrorOut = { error: 'server_error' }

const deviceShape = z.object({ address: z.string(), userAgent: z.string() })

/** The library's part of the device flow, with our pages. User codes: 8 of 20 letters, 2^34.6 of them (§6.1). */
export function deviceFlow(pages: ProtocolPages): DeviceFlow {
  const confirm = async (ctx: KoaContextWithOIDC, client: Client, info: unknown, userCode: string): Promise<void> => {
    const { origin } = clientSettings(client)
    await pages.deviceConfirm(ctx, {
      ...formOf(ctx),
      userCode: shown(userCode),
      client: {
        name: client.clientName ?? client.clientId,
        logoUri: shownLogo({ metadata: { logo_uri: client.logoUri }, origin }),
        uri: client.clientUri,
      },
      ...deviceShape.parse(info),
    })
  }

  const ask = (ctx: KoaContextWithOIDC, userCode: string, problem?: DeviceCodeProblem): Promise<void> =>
    pages.deviceCode(ctx, { ...formOf(ctx), userCode: userCode.slice(0, MAX_TYPED), problem })

  /** `verification_uri_complete` (§3.3.1) saves the typing, not the confirmation. */
  const confirmCodeInAddress = async (ctx: KoaContextWithOIDC, userCode: string): Promise<void> => {
    const { DeviceCode, Client: Clients } = ctx.oidc.provider
    const code = await DeviceCode.findByUserCode(normalized(userCode), { ignoreExpiration: true })
    if (!code) return ask(ctx, userCode, 'unknown')
    if (code.isExpired) return ask(ctx, userCode, 'expired')
    if (code.error !== undefined || code.accountId !== undefined || code.inFlight) return ask(ctx, userCode, 'used')
    const client = await Clients.find(code.clientId ?? '')
    if (!client) throw new errors.InvalidClient('client is invalid')
    await confirm(ctx, client, code.deviceInfo, code.userCode)
  }

  return {
    enabled: true,
    charset: 'base-20',
    mask: MASK,

    deviceInfo: (ctx) => ({ address: factsOf(ctx.req).clientAddress, userAgent: printable(ctx.get('User-Agent')) }),

    async userCodeInputSource(ctx, _form, out, error) {
      if (error instanceof AppError) return // provider.ts hands it on, and platform/http/errors.ts answers
      if (error) return showProblem(ctx, error, out)
      const given: unknown = ctx.state[CODE_IN_ADDRESS]
      await (typeof given === 'string' && given !== '' ? confirmCodeInAddress(ctx, given) : ask(ctx, ''))
    },

    userCodeConfirmSource: (ctx, _form, client, info, userCode) => confirm(ctx, client, info, userCode),

    successSource: (ctx) => pages.deviceDone(ctx, { connected: true, clientName: ctx.oidc.client?.clientName }),
  }

  async function showProblem(ctx: KoaContextWithOIDC, error: Error, out: ErrorOut | undefined): Promise<void> {
    if (error.name === 'AbortedError')
      return pages.deviceDone(ctx, { connected: false, clientName: ctx.oidc.client?.clientName })
    const unsaved = leaveUnsaved(ctx)
    if (unsaved && ctx.method === 'POST') return askAnew(ctx)
    const typed = 'userCode' in error && typeof error.userCode === 'string' ? error.userCode : ''
    const problem = PROBLEMS.get(error.name)
    if (problem) return ask(ctx, typed, problem)
    if (out?.error === 'invalid_request' && ctx.method === 'POST') return ask(ctx, '', 'stale')
    const lost = error instanceof errors.SessionNotFound
    await renderProtocolError(ctx, lost ? { ...out, error: 'session_not_found' } : (out ?? SERVER_ERROR), error)
  }
}

/** Takes the code out of the address before the library sees it, which would answer with a form that sends itself. */
export function holdCodeInAddress(ctx: Context): void {
  const { user_code: code } = ctx.query
  if (code === undefined) return
  // a picture or frame of another site must not use up the guesses of whoever looks at it
  const isOpened = ['', 'document'].includes(ctx.get('Sec-Fetch-Dest'))
  ctx.state[CODE_IN_ADDRESS] = typeof code === 'string' && isOpened ? code : ''
  ctx.querystring = ''
}

/**
 * A browser without a session cookie gets no session for an error: nothing would set the cookie any more, and the
 * library would fail to save a session that never was. True where that is so.
 */
function leaveUnsaved({ oidc: { session } }: KoaContextWithOIDC): boolean {
  // the types promise a value that only a session has that was saved once
  const expiresAt: number | undefined = session?.exp
  if (!session || expiresAt !== undefined) return false
  Object.assign(session, { touched: false })
  return true
}

/** The form once more, with a session to send it in. */
function askAnew(ctx: KoaContextWithOIDC): void {
  ctx.status = 303
  ctx.redirect(ctx.oidc.urlFor('code_verification'))
}

/** The library's form (address, and the token that its check wants); the page around it is ours. */
function formOf({ oidc }: KoaContextWithOIDC): { action: string; xsrf: string } {
  const secret = oidc.session?.state?.['secret']
  if (typeof secret !== 'string') throw new Error('the library asked for a device page without a session')
  return { action: oidc.urlFor('code_verification'), xsrf: secret }
}

/** As the library reads a typed code: letters and digits, upper case. */
function normalized(userCode: string): string {
  return userCode.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()).replaceAll(/\W/g, '')
}

/** As the device shows it. */
function shown(userCode: string): string {
  return normalized(userCode).replace(/^(.{4})(.{4})$/, '$1-$2')
}

/** A stranger's words for the confirmation page: one line of ASCII, not too long. */
function printable(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, '?').trim()
  return line.length > MAX_USER_AGENT ? `${line.slice(0, MAX_USER_AGENT)}…` : line
}
