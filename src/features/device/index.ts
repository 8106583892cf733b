/**
 * The pages of the device flow (RFC 8628): type the code that a device shows, see which app asks and from where,
 * confirm. The protocol library judges the codes, src/oidc limits guesses and polls, and signing in and consent are
 * the same as for every other app; this room only speaks to the person. Plugged in through `pages`. It deliberately
 * never confirms by itself, however the person came here: a code in a link may be a stranger's (§5.4).
 */
import type { DeviceCodeProblem, Feature } from '#core/feature.ts'
import { renderPage, view } from '#platform/http/render.ts'

interface CodePage {
  readonly action: string
  readonly xsrf: string
  readonly userCode: string
  readonly error?: string
}

interface ConfirmPage {
  readonly action: string
  readonly xsrf: string
  readonly userCode: string
  readonly clientName: string
  readonly clientLogo?: string
  readonly clientHost?: string
  readonly address: string
  readonly userAgent: string
}

interface DonePage {
  readonly connected: boolean
  readonly clientName?: string
}

const codePage = view<CodePage>('device/code')
const confirmPage = view<ConfirmPage>('device/confirm')
const donePage = view<DonePage>('device/done')

const WORDS: Readonly<Record<DeviceCodeProblem, string>> = {
  missing: 'Type the code that your device shows.',
  unknown: 'There is no such code. Compare it with the one on your device, letter by letter.',
  expired: 'This code has expired. Get a new one from your device.',
  used: 'This code was used already. If your device is not connected, get a new one from it.',
  stale: 'This page was out of date. Type the code once more.',
}

export const device: Feature = {
  word: 'device',
  pages: () => ({
    async deviceCode(ctx, { action, xsrf, userCode, problem }) {
      if (problem !== undefined) ctx.status = 422
      const title = problem === undefined ? 'Connect a device' : 'Error: Connect a device'
      const model = { action, xsrf, userCode, ...(problem === undefined ? {} : { error: WORDS[problem] }) }
      await renderPage(ctx, codePage, { title, lang: 'en' }, model)
    },

    async deviceConfirm(ctx, { action, xsrf, userCode, client, address, userAgent }) {
      const clientHost = client.uri === undefined ? undefined : URL.parse(client.uri)?.host
      const model = {
        action,
        xsrf,
        userCode,
        clientName: client.name,
        address,
        userAgent,
        ...(client.logoUri === undefined ? {} : { clientLogo: client.logoUri }),
        ...(clientHost === undefined ? {} : { clientHost }),
      }
      await renderPage(ctx, confirmPage, { title: 'Connect this device?', lang: 'en' }, model)
    },

    async deviceDone(ctx, { connected, clientName }) {
      const model = { connected, ...(clientName === undefined ? {} : { clientName }) }
      const title = connected ? 'Your device is connected' : 'Nothing was connected'
      await renderPage(ctx, donePage, { title, lang: 'en' }, model)
    },
  }),
}
