import { personLabel } from '#core/accounts/account.ts'
import { shownLogo } from '#core/clients/shown-logo.ts'
import type { Step } from '#core/feature.ts'
import { noteRefusal } from '#oidc/audit-notes.ts'
import { renderPage, view } from '#platform/http/render.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import type words from '#views/sign-in/words.json'

interface NoAccessPage {
  readonly clientName: string
  readonly clientLogo: string | undefined
  readonly personLabel: string
  readonly action: string
  readonly csrf: string
  readonly errorId: string
}

const page = view<NoAccessPage, typeof words>('sign-in/no-access')

const NOT_ASSIGNED = 'the app is not assigned to this person'

/** Says calmly that the app is not assigned to the person who is signed in, and offers the two ways out. */
export const noAccess: Step = {
  name: 'no-access',

  async show(ctx, { client, account, action, csrf }) {
    ctx.status = 403
    noteRefusal(ctx, { by: 'person', accountId: account?.id, clientId: client.id, rule: NOT_ASSIGNED })
    await renderPage(ctx, page, 'no-access-title', {
      clientName: client.name,
      clientLogo: shownLogo(client),
      personLabel: account ? personLabel(account) : '',
      action,
      csrf,
      errorId: factsOf(ctx.req).id,
    })
  },

  async submit(_ctx, _scene, form) {
    if (form['decision'] === 'switch') return { kind: 'switch-account' }
    return { kind: 'refused', error: 'access_denied', description: NOT_ASSIGNED }
  },
}
