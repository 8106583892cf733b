import { personLabel } from '#core/accounts/account.ts'
import type { DetailLine } from '#core/apis/detail-type.ts'
import type { Client } from '#core/clients/client.ts'
import type { ScopeWords } from '#core/clients/scopes.ts'
import { shownLogo } from '#core/clients/shown-logo.ts'
import { consentWords } from '#core/consents/consent-words.ts'
import type { Step } from '#core/feature.ts'
import type { AskedDetail } from '#core/sign-in-steps.ts'
import { renderPage, view } from '#platform/http/render.ts'

interface ConsentPage {
  readonly action: string
  readonly csrf: string
  readonly clientName: string
  readonly clientUri?: string
  readonly clientLogo?: string
  readonly policyUri?: string
  readonly tosUri?: string
  readonly personLabel: string
  readonly items: readonly Item[]
  readonly redirectHost: string
  /** What the person should know of software that nobody vouches for. */
  readonly warning?: string
}

interface Item extends ScopeWords {
  readonly lines?: readonly DetailLine[]
}

const page = view<ConsentPage>('consent/consent')

/** The step in which a person allows an application what it asks for, or turns it away. */
export const consentStep: Step = {
  name: 'consent',

  async show(ctx, { action, csrf, client, account, asked, redirectUri }) {
    await renderPage(
      ctx,
      page,
      { title: 'Allow access?', lang: 'en' },
      {
        action,
        csrf,
        clientName: client.name,
        ...shownLogo(client),
        ...shownMetadata(client.metadata),
        personLabel: account ? personLabel(account) : '',
        items: [...asked.details.map(detailWords), ...consentWords(asked)],
        redirectHost: hostOf(redirectUri),
        ...warning(client, hostOf(redirectUri)),
      },
    )
  },

  async submit(_ctx, { asked }, form) {
    if (form['decision'] === 'allow') return { kind: 'consented', ...asked }
    return { kind: 'refused', error: 'access_denied', description: 'the person did not allow it' }
  },
}

function detailWords({ title, api, lines }: AskedDetail): Item {
  return { title, detail: `At “${api}”:`, lines }
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
  const whence = origin === 'dynamic' ? 'This app registered itself' : `This app is described at ${hostOf(id)}`
  return {
    warning: `${whence}, and nobody here has checked who makes it. Go on only if you started it yourself just now and trust ${redirectHost}.`,
  }
}

/** The part of a redirect URI that a person can judge: the host, or the app's scheme. */
function hostOf(redirectUri: string): string {
  const url = URL.parse(redirectUri)
  return url?.host || url?.protocol.slice(0, -1) || redirectUri
}
