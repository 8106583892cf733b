/** Clients whose settings are allowed, and yet worth a second thought. */
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { wholeMetadata } from '#core/clients/presets.ts'
import { FRONT_CHANNEL_RESPONSE_TYPES, IMPLICIT_GRANT } from '#core/clients/response-flows.ts'
import type { ClientRecord, ClientStore } from '#core/clients/store.ts'
import { textsIn } from '#core/clients/texts-in.ts'
import type { Settings } from '#core/services.ts'
import type { ClientTimes, doctorStore } from './store.ts'

const DAY = 86_400
const OLD_DAYS = 365
const UNUSED_DAYS = 90
const MANY_URIS = 10
const AT_ONCE = 500

export interface ClientRisks {
  /** How many clients there are. */
  readonly count: number
  readonly risks: readonly { readonly what: string; readonly mend: string; readonly ids: readonly string[] }[]
  /** False where it is not kept for long enough who was used. */
  readonly isUseKnown: boolean
}

interface Looked extends ClientTimes {
  readonly client: ClientRecord
  readonly metadata: Readonly<Record<string, unknown>>
  readonly isUnused: boolean
  readonly hasIdleGrant: boolean
}

interface Risk {
  readonly what: string
  /** ID stands for the client's. */
  readonly mend: string
  /** Of disabled clients only; the others are of those that are not. */
  readonly ofDisabled?: true
  isSo(looked: Looked, at: Pick<Sources, 'issuer' | 'now'>): boolean
}

const RISKS: readonly Risk[] = [
  {
    what: 'return people over http',
    mend: 'Fine for a developer; else latchkey client update ID --redirect-uri https://…',
    // a native app listens on its own device (RFC 8252 §7.3)
    isSo: ({ client, metadata }, { issuer }) =>
      issuer.startsWith('https:') &&
      client.type !== 'native' &&
      textsIn(metadata['redirect_uris']).some((uri) => uri.startsWith('http:')),
  },
  {
    what: `have more than ${MANY_URIS} redirect URIs`,
    mend: 'Name those that are needed: latchkey client update ID --redirect-uri https://…',
    isSo: ({ metadata }) => textsIn(metadata['redirect_uris']).length > MANY_URIS,
  },
  {
    what: 'are answered with tokens through the browser (implicit or hybrid)',
    mend: 'Move to the response type code with PKCE: latchkey client update ID --metadata FILE.json',
    isSo: ({ metadata }) =>
      FRONT_CHANNEL_RESPONSE_TYPES.some((type) => textsIn(metadata['response_types']).includes(type)),
  },
  {
    what: 'may be given refresh tokens, and may not ask for offline_access',
    mend: 'Run latchkey client update ID --refresh-tokens never, or give them the scope.',
    isSo: ({ client, metadata: { grant_types: grants, scope } }) =>
      client.refreshTokens === 'offline_access' &&
      textsIn(grants).includes('refresh_token') &&
      !(typeof scope === 'string' && scope.split(' ').includes('offline_access')),
  },
  {
    what: `have grant types that nobody signed in by for ${UNUSED_DAYS} days`,
    mend: 'See grant_types in latchkey client show ID, and update those that are needed: --metadata FILE.json',
    isSo: ({ hasIdleGrant }) => hasIdleGrant,
  },
  {
    what: `have a secret that is older than ${OLD_DAYS} days`,
    mend: 'Run latchkey client rotate-secret ID --overlap 86400.',
    isSo: ({ secretAt }, { now }) => secretAt !== undefined && secretAt < now - OLD_DAYS * DAY,
  },
  {
    what: `have signed nobody in for ${UNUSED_DAYS} days`,
    mend: 'Run latchkey client disable ID, or delete it.',
    isSo: ({ isUnused }) => isUnused,
  },
  {
    what: `have been disabled for ${OLD_DAYS} days`,
    mend: 'Run latchkey client delete ID.',
    ofDisabled: true,
    isSo: ({ disabledAt }, { now }) => disabledAt !== undefined && disabledAt < now - OLD_DAYS * DAY,
  },
]

interface Sources extends Pick<Settings, 'issuer' | 'claimReceipts' | 'audit'> {
  readonly clients: Pick<ClientStore, 'list'>
  readonly store: ReturnType<typeof doctorStore>
  readonly now: number
}

/** Looks at every client. */
export async function clientRisks(sources: Sources): Promise<ClientRisks> {
  const { clients, store, now, claimReceipts, audit } = sources
  const since = now - UNUSED_DAYS * DAY
  const kept = Math.min(claimReceipts.retentionSeconds, audit.retentionSeconds)
  const isUseKnown = kept >= UNUSED_DAYS * DAY
  const unused = isUseKnown ? await store.clientsUnusedSince(since) : new Set<string>()
  const times = await store.clientTimes()
  const looked: Looked[] = []
  for await (const client of everyClient(clients)) {
    const metadata = wholeMetadata(client)
    const isUnused = unused.has(client.id)
    const isInUse = isUseKnown && !isUnused && !client.disabled && client.createdAt < since
    const hasIdleGrant = isInUse && (await hasGrantWithoutUse(client.id, metadata, since, store))
    const { disabledAt, secretAt } = times.get(client.id) ?? { disabledAt: undefined, secretAt: undefined }
    looked.push({ client, metadata, isUnused, hasIdleGrant, disabledAt, secretAt })
  }
  return {
    count: looked.length,
    risks: RISKS.map(({ what, mend, ofDisabled = false, isSo }) => {
      const found = looked.filter((one) => one.client.disabled === ofDisabled && isSo(one, sources))
      return { what, mend, ids: found.map(({ client }) => client.id) }
    }),
    isUseKnown,
  }
}

async function* everyClient(clients: Pick<ClientStore, 'list'>): AsyncGenerator<ClientRecord> {
  for (let last: ClientRecord | undefined; ;) {
    const page = await clients.list(AT_ONCE, last)
    yield* page
    last = page.at(-1)
    if (page.length < AT_ONCE) return
  }
}

/** Grants that a sign-in begins with, and what the audit calls them. Of refreshing, and of services, it tells nothing. */
const BEGINNINGS: Readonly<Record<string, readonly string[]>> = {
  authorization_code: ['authorization_code'],
  [DEVICE_GRANT]: [DEVICE_GRANT],
  [CIBA_GRANT]: [CIBA_GRANT],
  [IMPLICIT_GRANT]: FRONT_CHANNEL_RESPONSE_TYPES,
}

/** Who has one only is in use by it. */
async function hasGrantWithoutUse(
  id: string,
  { grant_types: grants }: Looked['metadata'],
  since: number,
  store: Sources['store'],
): Promise<boolean> {
  const choices = textsIn(grants)
    .map((grant) => BEGINNINGS[grant])
    .filter((choice) => choice !== undefined)
  if (choices.length < 2) return false
  for (const choice of choices) if (!(await store.wasGranted(id, choice, since))) return true
  return false
}
