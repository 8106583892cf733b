import type { Context } from 'koa'
import type { Accounts } from '#core/accounts/accounts.ts'
import type { Step } from '#core/feature.ts'
import type { StepScene } from '#core/sign-in-steps.ts'
import { renderPage, view } from '#platform/http/render.ts'

interface SignInPage {
  readonly action: string
  readonly csrf: string
  readonly clientName: string
  readonly clientLogo?: string
  readonly username: string
  readonly error?: string
  readonly reauthenticate: boolean
}

const page = view<SignInPage>('password/sign-in')

/** One sentence for every reason: a stranger must not learn which accounts exist, or are disabled. */
const WRONG = 'The user name, e-mail or password is not right. Check them and try again.'

/** The step in which a person gives user name or e-mail and password. */
export function passwordStep(accounts: Pick<Accounts, 'authenticate'>): Step {
  return {
    name: 'password',

    show: (ctx, scene) => showForm(ctx, scene, scene.reauthenticate ? knownAs(scene) : (scene.loginHint ?? '')),

    async submit(ctx, scene, form) {
      if (form['cancel'] === 'yes')
        return { kind: 'refused', error: 'access_denied', description: 'the person turned back at sign-in' }
      if (form['switch'] === 'yes') return { kind: 'switch-account' }
      const username = form['username'] ?? ''
      const account = await accounts.authenticate(username, form['password'] ?? '')
      if (account) return { kind: 'proven', evidence: { accountId: account.id, amr: 'pwd' } }
      ctx.status = 422
      await showForm(ctx, scene, username, WRONG)
      return { kind: 'again' }
    },
  }
}

async function showForm(
  ctx: Context,
  { action, csrf, client, reauthenticate }: StepScene,
  username: string,
  error?: string,
): Promise<void> {
  const logo = client.metadata['logo_uri']
  await renderPage(
    ctx,
    page,
    { title: 'Sign in', lang: 'en' },
    {
      action,
      csrf,
      clientName: client.name,
      username: username.slice(0, 254),
      reauthenticate,
      ...(typeof logo === 'string' ? { clientLogo: logo } : {}),
      ...(error === undefined ? {} : { error }),
    },
  )
}

/** What the person would type, so that the field they need not change is right. */
function knownAs({ account }: StepScene): string {
  return account?.username ?? account?.email ?? ''
}
