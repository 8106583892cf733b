/**
 * The pages of RP-Initiated Logout 1.0. The protocol library judges the request, keeps the state and ends the session
 * and its grants; this room asks the person, and says goodbye. Plugged in through `pages`. What applications are told
 * behind the person's back is queued by core/logout-deliveries and sent by oidc/backchannel-logout.ts; the room's job
 * forgets what is old of it.
 */
import { personLabel } from '#core/accounts/account.ts'
import type { Feature } from '#core/feature.ts'
import { sweepAll } from '#platform/database/sweep.ts'
import { renderPage, view } from '#platform/http/render.ts'
import type words from '#views/logout/words.json'

interface ConfirmPage {
  readonly action: string
  readonly xsrf: string
  readonly clientName: string | undefined
  readonly personLabel: string
}

interface DonePage {
  readonly clientName: string | undefined
  readonly stillSignedIn: boolean
}

const confirmPage = view<ConfirmPage, typeof words>('logout/confirm')
const donePage = view<DonePage, typeof words>('logout/done')

export const logout: Feature = {
  word: 'logout',
  jobs: ({ logoutDeliveries, log }) => [
    {
      name: 'logout-deliveries',
      everySeconds: 600,
      async run() {
        const swept = await sweepAll((limit) => logoutDeliveries.sweep(limit))
        if (swept > 0) log.debug({ swept }, 'old logout deliveries deleted')
      },
    },
  ],
  pages: ({ accounts }) => ({
    async confirmLogout(ctx, { action, xsrf, clientName, accountId }) {
      const account = await accounts.findById(accountId)
      await renderPage(ctx, confirmPage, 'title', {
        action,
        xsrf,
        clientName,
        personLabel: account ? personLabel(account) : accountId,
      })
    },

    async signedOut(ctx, { clientName, stillSignedIn }) {
      const title = clientName !== undefined ? 'left' : stillSignedIn ? 'stayed' : 'out'
      await renderPage(ctx, donePage, title, { stillSignedIn, clientName })
    },
  }),
}
