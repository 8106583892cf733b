/** Clients whose settings are allowed, and yet worth a second thought. */
import { wholeMetadata } from '#core/clients/presets.ts'
import { FRONT_CHANNEL_RESPONSE_TYPES } from '#core/clients/response-flows.ts'
import type { ClientRecord, ClientStore } from '#core/clients/store.ts'
import { textsIn } from '#core/clients/texts-in.ts'
import type { Settings } from '#core/services.ts'
import type { doctorStore } from './store.ts'

const DAY = 86_400
export const SECRET_DAYS = 365
export const UNUSED_DAYS = 90
const AT_ONCE = 500

/** Ids of clients that are not disabled. */
export interface RiskyClients {
  readonly count: number
  readonly httpRedirect: readonly string[]
  readonly frontChannel: readonly string[]
  /** They may be given refresh tokens, by a scope that they may not ask for. */
  readonly idleRefresh: readonly string[]
  readonly oldSecret: readonly string[]
  readonly unused: readonly string[]
}

interface Sources {
  readonly clients: Pick<ClientStore, 'list'>
  readonly store: ReturnType<typeof doctorStore>
  readonly claimReceipts: Settings['claimReceipts']
  readonly now: number
}

/** Looks at every client. */
export async function riskyClients({ clients, store, claimReceipts, now }: Sources): Promise<RiskyClients> {
  const all = (await everyClient(clients)).filter(({ disabled }) => !disabled)
  const idsWhere = (isRisky: (client: ClientRecord) => boolean) => all.filter(isRisky).map(({ id }) => id)
  // who was given claims is only known for as long as receipts are kept
  const isUseKnown = claimReceipts.retentionSeconds >= UNUSED_DAYS * DAY
  return {
    count: all.length,
    httpRedirect: idsWhere(returnsOverHttp),
    frontChannel: idsWhere(isAnsweredThroughTheBrowser),
    idleRefresh: idsWhere(hasIdleRefresh),
    oldSecret: await store.clientsWithSecretsBefore(now - SECRET_DAYS * DAY),
    unused: isUseKnown ? await store.clientsUnusedSince(now - UNUSED_DAYS * DAY) : [],
  }
}

async function everyClient(clients: Pick<ClientStore, 'list'>): Promise<ClientRecord[]> {
  const all: ClientRecord[] = []
  for (;;) {
    const page = await clients.list(AT_ONCE, all.at(-1))
    all.push(...page)
    if (page.length < AT_ONCE) return all
  }
}

/** A native app listens on its own device (RFC 8252 §7.3); a web application on http is one that is being developed. */
function returnsOverHttp(client: ClientRecord): boolean {
  return (
    client.type !== 'native' && textsIn(wholeMetadata(client)['redirect_uris']).some((uri) => uri.startsWith('http:'))
  )
}

function isAnsweredThroughTheBrowser(client: ClientRecord): boolean {
  const registered = textsIn(wholeMetadata(client)['response_types'])
  return FRONT_CHANNEL_RESPONSE_TYPES.some((type) => registered.includes(type))
}

function hasIdleRefresh(client: ClientRecord): boolean {
  const { grant_types: grants, scope } = wholeMetadata(client)
  const mayAsk = typeof scope === 'string' && scope.split(' ').includes('offline_access')
  return client.refreshTokens === 'offline_access' && textsIn(grants).includes('refresh_token') && !mayAsk
}
