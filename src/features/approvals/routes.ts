import { Router } from '@koa/router'
import type { Context, Middleware } from 'koa'
import { approvalsPath } from '#core/issuer-paths.ts'
import { equalSecrets } from '#core/secrets.ts'
import type { Approval, SignedIn } from '#oidc/approvals.ts'
import type { Needs } from '#oidc/needs.ts'
import { AppError } from '#platform/errors.ts'
import { readForm } from '#platform/http/forms.ts'
import { showAnswer, showList, showRequest } from './pages.ts'

/** GET shows what waits, or one request; POST takes the answer to it, and leads to the page that tells what it was. */
export function approvalRoutes({ approvals, clock, settings }: Needs): Middleware {
  const router = new Router()
  const home = approvalsPath(settings.issuer)

  router.get('/approvals', async (ctx) => {
    const { code, error, state } = ctx.query
    if (error !== undefined) throw notSignedIn()
    const signedIn = await approvals.signedIn(ctx)
    // a browser that signed in and is not known here keeps no cookies: it would go round without end
    if (!signedIn && code !== undefined) throw notSignedIn()
    if (!signedIn) return approvals.prove(ctx)
    // out of the address what came back with the sign-in
    if (code !== undefined) return see(ctx, isId(state) ? `${home}/${state}` : home)
    await showList(ctx, { ...signedIn, home, approvals: await approvals.list(signedIn.account), now: clock.now() })
  })

  router.get('/approvals/:id', async (ctx) => {
    const signedIn = await approvals.signedIn(ctx)
    if (!signedIn) return approvals.prove(ctx)
    const approval = await approvalFor(ctx, signedIn)
    if (approval.answer !== undefined) return showAnswer(ctx, { approval, home })
    if (approvals.standing(approval, signedIn) === 'prove') return approvals.prove(ctx, approval)
    await showRequest(ctx, { ...signedIn, approval, action: `${home}/${approval.id}`, now: clock.now() })
  })

  router.post('/approvals/:id', async (ctx) => {
    const signedIn = await approvals.signedIn(ctx)
    const form = await readForm(ctx)
    if (!signedIn || !equalSecrets(form['csrf'] ?? '', signedIn.csrf)) throw staleForm()
    const approval = await approvalFor(ctx, signedIn)
    await answer(ctx, approval, signedIn, form['decision'])
  })

  const answer = async (
    ctx: Context,
    approval: Approval,
    signedIn: SignedIn,
    decision: string | undefined,
  ): Promise<void> => {
    if (decision !== 'approve' && decision !== 'deny') throw staleForm()
    const standing = decision === 'approve' ? approvals.standing(approval, signedIn) : 'enough'
    if (standing === 'prove') return approvals.prove(ctx, approval)
    if (standing === 'unmet') throw tooWeak()
    if (decision === 'approve') await approvals.approve(approval, signedIn)
    else await approvals.deny(approval, signedIn)
    // where it was answered meanwhile, the page says how: the first answer holds
    see(ctx, `${home}/${approval.id}`)
  }

  const approvalFor = async (ctx: Context, { account }: SignedIn): Promise<Approval> => {
    const approval = await approvals.find(String(ctx['params'].id), account)
    if (!approval) throw gone()
    return approval
  }

  return router.routes() as Middleware
}

/** A digest, as it stands in addresses. */
function isId(state: unknown): state is string {
  return typeof state === 'string' && /^[\w-]{43}$/.test(state)
}

/** 303, so that a reload of the page that follows sends nothing again. */
function see(ctx: Context, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

/** The same for a request that ended, that is somebody else's, and that never was. */
function gone(): AppError {
  return new AppError('not_found', 'This request has ended, or it is not for you.', {
    hint: 'If you expected it, start again in the app that asks.',
    told: { title: 'title.start-again', message: 'request-gone', hint: 'hint.ask-again' },
  })
}

function notSignedIn(): AppError {
  return new AppError('forbidden', 'You are not signed in, so nothing was approved.', {
    hint: 'Open this page again to sign in; your browser has to keep cookies for it.',
    told: { message: 'not-signed-in', hint: 'hint.cookies' },
  })
}

function tooWeak(): AppError {
  return new AppError('forbidden', 'The app asks for a stronger sign-in than this one, so nothing was approved.', {
    hint: 'Sign in again in a stronger way, or turn the request down.',
    told: { message: 'too-weak', hint: 'hint.stronger' },
  })
}

function staleForm(): AppError {
  return new AppError('forbidden', 'The form is out of date or came from another page.', {
    hint: 'Go back, reload the page, and send it again.',
  })
}
