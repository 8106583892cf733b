/**
 * One sign-in under way, as the protocol library keeps it: what the relying party asked, what is still missing, and
 * what has been answered. It is found by a cookie whose path is the interaction's own, so that two tabs do not meet.
 */
import type { Context } from 'koa'
import { errors, type Grant, type InteractionResults } from 'oidc-provider'
import type { Apis } from '#core/apis/apis.ts'
import type { ArtifactStore } from '#core/artifacts/store.ts'
import { isOfferedScope } from '#core/clients/scopes.ts'
import { randomToken } from '#core/secrets.ts'
import type { AskedConsent } from '#core/sign-in-steps.ts'
import { AppError } from '#platform/errors.ts'
import { askForLanguage } from '#platform/http/language.ts'
import { COOKIE_FLAGS } from './cookies.ts'
import { detailsInWords } from './authorization-details.ts'
import type { Protocol } from './provider.ts'
import { apisInWords, grantAsked, missingApis } from './resource-consent.ts'
import { endSession } from './sessions.ts'

type LibraryInteraction = Awaited<ReturnType<ReturnType<Protocol['current']>['interactionDetails']>>

/** What the relying party's request waits for. */
export type PromptName = 'select_account' | 'login' | 'access' | 'consent'

export interface Interaction {
  readonly uid: string
  readonly prompt: PromptName
  /** Why: the names of the checks that were not met. */
  readonly reasons: readonly string[]
  readonly clientId: string
  /** The person this browser is signed in as. */
  readonly accountId: string | undefined
  readonly redirectUri: string
  readonly loginHint: string | undefined
  /** True once the person has said that they want to go on as somebody else. */
  readonly otherAccount: boolean
  readonly asked: AskedConsent
  /** Finishes with a proof of who the person is; ends the session of anybody else in this browser first. */
  finishLogin(ctx: Context, login: FinishedLogin): Promise<void>
  /** Finishes the choice of account: it is the one that this browser is signed in as. */
  finishAccountChoice(ctx: Context): Promise<void>
  /** Remembers that the person wants to go on as somebody else, who has to sign in first. */
  askForOtherAccount(): Promise<void>
  /** Finishes with what the person allowed, which becomes part of the grant. */
  finishConsent(ctx: Context, allowed: AskedConsent): Promise<void>
  /** Goes back to the relying party with an error (RFC 6749 §4.1.2.1). */
  finishRefused(ctx: Context, error: string, description: string): Promise<void>
  /** Ends the session that the interaction began with; the person then signs in from the start. */
  leaveSession(): Promise<void>
}

export interface FinishedLogin {
  readonly accountId: string
  /** When the account had last been changed as the person proved to be them, see overtaken-sign-ins.ts. */
  readonly accountChangedAt: number
  readonly amr: readonly string[]
  /** Seconds since the epoch. */
  readonly at: number
  /** The session's cookie outlives the browser. */
  readonly remember: boolean
}

export interface Interactions {
  /** @throws AppError(expired) where this browser has no interaction at this address, or no longer */
  load(ctx: Context, uid: string): Promise<Interaction>
}

const PROMPTS = new Set<string>(['select_account', 'login', 'access', 'consent'])

export function createInteractions(
  protocol: Protocol,
  artifacts: ArtifactStore,
  apis: Pick<Apis, 'find'>,
): Interactions {
  return {
    async load(ctx, uid) {
      const provider = protocol.current()
      const found = await provider.interactionDetails(ctx.req, ctx.res).catch((error: unknown) => {
        if (error instanceof errors.SessionNotFound) throw startAgain(error)
        throw error
      })
      askForLanguage(ctx, () => found.params['ui_locales'])
      if (found.uid !== uid || !PROMPTS.has(found.prompt.name)) throw startAgain()
      return interactionOf(found, provider, artifacts, await askedConsent(found, apis))
    },
  }
}

function interactionOf(
  found: LibraryInteraction,
  provider: ReturnType<Protocol['current']>,
  artifacts: ArtifactStore,
  asked: AskedConsent,
): Interaction {
  const { params } = found
  const clientId = stringParam(params, 'client_id') ?? ''

  const finish = async (ctx: Context, result: InteractionResults): Promise<void> => {
    // one write in place of interactionFinished, which would load the interaction once more
    found.result = 'error' in result ? result : { ...found.lastSubmission, ...result }
    await found.persist()
    ctx.status = 303
    ctx.redirect(found.returnTo)
  }

  /**
   * From here on the interaction goes by another id, which only the browser is told that has just proven who is there.
   * Whoever planted the cookies of the old one holds nothing that leads on.
   */
  const changeId = async (ctx: Context): Promise<void> => {
    const before = found.uid
    await found.destroy()
    found.uid = randomToken()
    found.returnTo = found.returnTo.replace(before, found.uid)
    const { pathname: path } = new URL(found.returnTo)
    ctx.cookies.set(provider.cookieName('resume'), found.uid, { ...COOKIE_FLAGS, path })
  }

  const leaveSession = async (): Promise<void> => {
    if (!found.session) return
    const { uid } = found.session
    delete found.session
    delete found.grantId
    await found.persist()
    const session = await provider.Session.findByUid(uid)
    if (session) await endSession(session, artifacts)
  }

  return {
    uid: found.uid,
    // boundary: checked by load
    prompt: found.prompt.name as PromptName,
    reasons: found.prompt.reasons,
    clientId,
    accountId: found.session?.accountId,
    redirectUri: stringParam(params, 'redirect_uri') ?? '',
    loginHint: stringParam(params, 'login_hint'),
    otherAccount: otherAccountIn(found.lastSubmission),
    asked,

    async finishLogin(ctx, { accountId, accountChangedAt, amr, at, remember }) {
      if (found.session && found.session.accountId !== accountId) await leaveSession()
      await changeId(ctx)
      // whoever proves who they are has said as whom they go on
      const login = { accountId, accountChangedAt, amr: [...amr], ts: at, remember }
      await finish(ctx, { login, select_account: {} })
    },

    finishAccountChoice: (ctx) => finish(ctx, { select_account: {} }),

    async askForOtherAccount() {
      // not in `result`: the resume address would take that for the answer
      found.lastSubmission = { ...found.lastSubmission, select_account: { other: true } }
      await found.persist()
    },

    async finishConsent(ctx, allowed) {
      const accountId = found.session?.accountId
      if (accountId === undefined) throw startAgain()
      const grant =
        (await existingGrant(found, provider, accountId, clientId)) ?? new provider.Grant({ accountId, clientId })
      grantAsked(grant, allowed)
      await finish(ctx, { consent: { grantId: await grant.save() } })
    },

    finishRefused: (ctx, error, description) => finish(ctx, { error, error_description: description }),
    leaveSession,
  }
}

async function existingGrant(
  found: LibraryInteraction,
  provider: ReturnType<Protocol['current']>,
  accountId: string,
  clientId: string,
): Promise<Grant | undefined> {
  // another tab may have got the session a grant since this interaction began: both go on with one
  const session = found.session && (await provider.Session.findByUid(found.session.uid))
  const grantId = session?.grantIdFor(clientId) ?? found.grantId
  const grant = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  return grant?.accountId === accountId && grant.clientId === clientId ? grant : undefined
}

/** What was not granted yet; where all of it was (prompt=consent), all that is asked. Never from a posted form. */
async function askedConsent({ prompt, params }: LibraryInteraction, apis: Pick<Apis, 'find'>): Promise<AskedConsent> {
  const scopes = strings(prompt.details['missingOIDCScope'])
  const claims = ['missingOIDCClaims', 'missingOwnClaims'].flatMap((detail) => strings(prompt.details[detail]))
  if (prompt.name !== 'consent') return { scopes, claims, resources: [], details: [] }
  const details = await detailsInWords(apis, params)
  const missing = missingApis(prompt.details)
  if (scopes.length > 0 || claims.length > 0 || missing.length > 0 || prompt.reasons.includes('rar_prompt'))
    return { scopes, claims, resources: await apisInWords(apis, params, missing), details }
  const all = (stringParam(params, 'scope') ?? '').split(' ').filter((scope) => isOfferedScope(scope))
  return {
    scopes: all,
    claims: strings(prompt.details['ownClaims']),
    resources: await apisInWords(apis, params),
    details,
  }
}

function otherAccountIn(submission: InteractionResults | undefined): boolean {
  const choice = submission?.['select_account']
  return typeof choice === 'object' && choice !== null && 'other' in choice
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function stringParam(params: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = params[name]
  return typeof value === 'string' ? value : undefined
}

function startAgain(cause?: unknown): AppError {
  return new AppError('expired', 'This sign-in has expired, was finished already, or was started in another browser.', {
    hint: 'Go back to the app and sign in from there.',
    cause,
  })
}
