/**
 * The pages of the device flow (RFC 8628): type the code that a device shows, see which app asks and from where,
 * confirm. The protocol library judges the codes, src/oidc limits guesses and polls, and signing in and consent are
 * the same as for every other app; this room only speaks to the person. Plugged in through `pages`. It deliberately
 * never confirms by itself, however the person came here: a code in a link may be a stranger's (§5.4).
 */
import type { DeviceCodeProblem, Feature } from '#core/feature.ts'
import { noteRefusal } from '#oidc/audit-notes.ts'
import { renderPage, view } from '#platform/http/render.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import type words from '#views/device/words.json'

interface CodePage {
  readonly action: string
  readonly xsrf: string
  readonly userCode: string
  readonly error: Problem | undefined
  readonly errorId: string | undefined
}

interface ConfirmPage {
  readonly action: string
  readonly xsrf: string
  readonly userCode: string
  readonly clientName: string
  readonly clientLogo: string | undefined
  readonly clientHost: string | undefined
  readonly address: string
  readonly userAgent: string
}

interface DonePage {
  readonly connected: boolean
  readonly clientName: string | undefined
}

type Problem = `problem.${DeviceCodeProblem}` & keyof typeof words

const codePage = view<CodePage, typeof words>('device/code')
const confirmPage = view<ConfirmPage, typeof words>('device/confirm')
const donePage = view<DonePage, typeof words>('device/done')

export const device: Feature = {
  word: 'device',
  pages: () => ({
    async deviceCode(ctx, { action, xsrf, userCode, problem }) {
      if (problem !== undefined) {
        ctx.status = 422
        noteRefusal(ctx, { rule: `the code of the device is ${problem}` })
      }
      const error: Problem | undefined = problem && `problem.${problem}`
      const errorId = error && factsOf(ctx.req).id
      await renderPage(ctx, codePage, 'code', { action, xsrf, userCode, error, errorId })
    },

    async deviceConfirm(ctx, { action, xsrf, userCode, client, address, userAgent }) {
      await renderPage(ctx, confirmPage, 'confirm', {
        action,
        xsrf,
        userCode,
        clientName: client.name,
        clientLogo: client.logoUri,
        clientHost: client.uri === undefined ? undefined : URL.parse(client.uri)?.host,
        address,
        userAgent,
      })
    },

    async deviceDone(ctx, { connected, clientName }) {
      await renderPage(ctx, donePage, connected ? 'connected' : 'aborted', { connected, clientName })
    },
  }),
}
