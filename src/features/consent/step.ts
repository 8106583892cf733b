import { personLabel } from '#core/accounts/account.ts'
import type { Client } from '#core/clients/client.ts'
import { shownLogo } from '#core/clients/shown-logo.ts'
import { consentWords, type ConsentWords } from '#core/consents/consent-words.ts'
import type { Step } from '#core/feature.ts'
import { renderPage, view } from '#platform/http/render.ts'
import type words from '#views/consent/words.json'

interface ConsentPage {
  readonly action: string
  readonly csrf: string
  readonly clientName: string
  readonly clientUri?: string
  readonly clientLogo: string | undefined
  readonly policyUri?: string
  readonly tosUri?: string
  readonly personLabel: string
  readonly asked: ConsentWords
  readonly redirectHost: string
  /** What the person should know of software that nobody vouches for. */
  readonly warning?: { readonly word: keyof typeof words; readonly values: Readonly<Record<string, string>> }
}

const page = view<ConsentPage, typeof words>('consent/consent')

/** The step in which a person allows an application what it asks for, or turns it away. */
export const consentStep: Step = {
  name: 'consent',

  async show(ctx, { action, csrf, client, account, asked, redirectUri }) {
    await renderPage(ctx, page, 'title', {
      action,
      csrf,
      clientName: client.name,
      clientLogo: shownLogo(client),
      ...shownMetadata(client.metadata),
      personLabel: account ? personLabel(account) : '',
      asked: consentWords(asked),
      redirectHost: hostOf(redirectUri),
      ...warning(client, hostOf(redirectUri)),
    })
  },

  async submit(_ctx, { asked }, form) {
    if (form['decision'] === 'allow') return { kind: 'consented', ...asked }
    return { kind: 'refused', error: 'access_denied', description: 'the person did not allow it' }
  },
}

function shownMetadata(metadata: Readonly<Record<string, unknown>>): Partial<ConsentPage> {
  const shown = {
    clientUri: metadata['client_uri'],
    policyUri: metadata['policy_uri'],
    tosUri: metadata['tos_uri'],
  }
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => typeof value === 'string'))
}

function warning({ id, origin }: Client, redirectHost: string): Partial<ConsentPage> {
  if (origin === 'administrator') return {}
  const word = origin === 'dynamic' ? 'registered-itself' : 'described-elsewhere'
  return { warning: { word, values: { place: hostOf(id), host: redirectHost } } }
}

/** The part of a redirect URI that a person can judge: the host, or the scheme of an app, whatever host that names after it. */
function hostOf(redirectUri: string): string {
  const url = URL.parse(redirectUri)
  if (!url) return redirectUri
  return /^https?:$/.test(url.protocol) ? url.host : url.protocol
}
