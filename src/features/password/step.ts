import type { Context } from 'koa'
import { signInKey } from '#core/accounts/account-keys.ts'
import { shownLogo } from '#core/clients/shown-logo.ts'
import type { Step } from '#core/feature.ts'
import type { SignInResult } from '#core/metrics.ts'
import type { Services } from '#core/services.ts'
import type { StepScene } from '#core/sign-in-steps.ts'
import { noteErrorOfOurs, noteRefusal } from '#oidc/audit-notes.ts'
import { AppError } from '#platform/errors.ts'
import { renderPage, view } from '#platform/http/render.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import type words from '#views/password/words.json'
import { knownBrowsers } from './known-browser.ts'

interface SignInPage {
  readonly action: string
  readonly csrf: string
  readonly clientName: string
  readonly clientLogo: string | undefined
  readonly username: string
  readonly error: Wrong | undefined
  readonly errorId: string | undefined
  readonly reauthenticate: boolean
  /** Whether to stay signed in on this device: not offered, or as it was ticked. */
  readonly remember: 'not-offered' | 'no' | 'yes'
}

/**
 * One sentence for every reason: a stranger must not learn which accounts exist, or are disabled. Another one where the
 * page itself says who has to prove it is them: only the password can be wrong. And to wait is said for the right
 * password, too, and for names that nobody has.
 */
type Wrong = 'wrong' | 'wrong-again' | 'wait'

const page = view<SignInPage, typeof words>('password/sign-in')

/** The step in which a person gives user name or e-mail and password. */
export function passwordStep(
  needs: Pick<Services, 'accounts' | 'secrets' | 'settings' | 'clock' | 'log' | 'metrics'>,
): Step {
  const { accounts, log, metrics } = needs
  const { offersToRemember } = needs.settings.session
  const browsers = knownBrowsers(needs)
  const count = (result: SignInResult): void => metrics.signIns.inc({ method: 'password', result })
  /** What was ticked counts only where the box was offered. */
  const remembering = (form: Readonly<Record<string, string>>): SignInPage['remember'] =>
    offersToRemember ? (form['remember'] === 'yes' ? 'yes' : 'no') : 'not-offered'

  /** Who was meant, for the audit. What was typed may be a password: of a name that nobody has a digest is kept. */
  const noteWrong = async (ctx: Context, { client }: StepScene, typed: string): Promise<void> => {
    const account = await accounts.find(typed)
    const facts = account
      ? {}
      : { name_digest: needs.secrets.keyedDigest('audit-name', signInKey(typed)?.key ?? typed) }
    noteRefusal(ctx, {
      accountId: account?.id,
      clientId: client.id,
      rule: 'the password or the name is wrong',
      facts,
    })
  }

  return {
    name: 'password',

    show: (ctx, scene) =>
      showForm(ctx, scene, { username: pinned(scene) ?? scene.loginHint ?? '', remember: remembering({}) }),

    admit(form) {
      if (form['cancel'] !== 'yes' && form['switch'] !== 'yes') accounts.refuseWhenBusy()
    },

    async submit(ctx, scene, form) {
      if (form['cancel'] === 'yes')
        return { kind: 'refused', error: 'access_denied', description: 'the person turned back at sign-in' }
      if (form['switch'] === 'yes') return { kind: 'switch-account' }
      const username = form['username'] ?? ''
      const known = pinned(scene)
      const remember = remembering(form)
      const typed = { username: known ?? username, remember }
      try {
        const account = await accounts.authenticate(username, form['password'] ?? '', {
          request: factsOf(ctx.req),
          knownBrowser: browsers.find(ctx, username),
        })
        count(account ? 'success' : 'failure')
        if (account) {
          browsers.remember(ctx, account)
          const evidence = { accountId: account.id, accountChangedAt: account.updatedAt, method: 'password' } as const
          return { kind: 'proven', evidence, remember: remember === 'yes' }
        }
        ctx.status = 422
        await noteWrong(ctx, scene, typed.username)
        await showForm(ctx, scene, typed, known === undefined ? 'wrong' : 'wrong-again')
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'too_many_attempts')) throw error
        count('throttled')
        log.warn({ ...factsOf(ctx.req), event: error.rule, client_id: scene.client.id }, 'a password was not looked at')
        ctx.status = 429
        ctx.set('Retry-After', String(error.retryAfterSeconds))
        await noteWrong(ctx, scene, typed.username)
        noteErrorOfOurs(ctx, error)
        await showForm(ctx, scene, typed, 'wait')
      }
      return { kind: 'again' }
    },
  }
}

async function showForm(
  ctx: Context,
  { action, csrf, client, reauthenticate }: StepScene,
  { username, remember }: Pick<SignInPage, 'username' | 'remember'>,
  error?: Wrong,
): Promise<void> {
  await renderPage(ctx, page, reauthenticate ? 'title-again' : 'title', {
    action,
    csrf,
    clientName: client.name,
    username: username.slice(0, 254),
    remember,
    reauthenticate,
    clientLogo: shownLogo(client),
    error,
    errorId: error && factsOf(ctx.req).id,
  })
}

/** Who has to prove again that it is them, as that person would type it; undefined where anybody may sign in. */
function pinned({ reauthenticate, account }: StepScene): string | undefined {
  return reauthenticate ? (account?.username ?? account?.email) : undefined
}
