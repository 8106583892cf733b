import type { Context } from 'koa'
import { displayName, type Account } from '#core/accounts/account.ts'
import { shownLogo } from '#core/clients/shown-logo.ts'
import type { Step } from '#core/feature.ts'
import type { StepScene } from '#core/sign-in-steps.ts'
import { renderPage, view } from '#platform/http/render.ts'
import type words from '#views/select-account/words.json'

interface SelectAccountPage {
  readonly action: string
  readonly csrf: string
  readonly clientName: string
  readonly clientLogo: string | undefined
  readonly accounts: readonly ShownAccount[]
}

interface ShownAccount {
  readonly id: string
  readonly name: string
  /** What tells two people of one name apart. */
  readonly detail?: string
}

const page = view<SelectAccountPage, typeof words>('select-account/select-account')

/** The step in which a person says as whom to go on: as the one signed in here, or as somebody else. */
export const selectAccountStep: Step = {
  name: 'select-account',
  show: showChooser,

  async submit(ctx, scene, form) {
    if (form['cancel'] === 'yes')
      return { kind: 'refused', error: 'access_denied', description: 'the person turned back at the account chooser' }
    if (form['other'] === 'yes') return { kind: 'other-account' }
    if (form['account'] !== undefined && form['account'] === scene.account?.id) return { kind: 'account-selected' }
    ctx.status = 422
    await showChooser(ctx, scene)
    return { kind: 'again' }
  },
}

async function showChooser(ctx: Context, { action, csrf, client, account }: StepScene): Promise<void> {
  await renderPage(ctx, page, 'title', {
    action,
    csrf,
    clientName: client.name,
    clientLogo: shownLogo(client),
    accounts: account ? [shown(account)] : [],
  })
}

function shown(account: Account): ShownAccount {
  const { id, email, username } = account
  const name = displayName(account)
  const unique = email ?? username ?? id
  return name === undefined ? { id, name: unique } : { id, name, detail: unique }
}
