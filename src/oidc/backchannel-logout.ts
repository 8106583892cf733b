/**
 * OpenID Connect Back-Channel Logout 1.0. The library sends inside the request, once, and knows only of its own logout
 * endpoint; here a session that ends for whatever reason leaves rows (core/logout-deliveries), and one sender in each
 * server pays them: at once where the person waits, within a second where another process ended the session, and again
 * after a while where the client did not take it. Three methods of the library are replaced for that; the feature
 * itself stays on, so that discovery, client metadata and `sid` in ID tokens are the library's.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'koa'
import { Provider, type Client, type Session } from 'oidc-provider'
import type { AttemptOutcome } from '#core/logout-deliveries/logout-deliveries.ts'
import type { LogoutDelivery } from '#core/logout-deliveries/store.ts'
import type { Services } from '#core/services.ts'
import { attached } from '#platform/attached.ts'
import type { GuardedFetch } from '#platform/fetch.ts'
import { watch } from '#platform/watch.ts'

export interface LogoutSender {
  /** Makes a fresh provider leave its logouts to this sender. */
  serve(provider: Provider): void
  /** Sends what the request has left owing, now that it is on record, and waits a moment for it. */
  sendOwed(ctx: Pick<Context, 'req'>): Promise<void>
  /** Stops looking for what is due, and waits for what is under way. */
  close(): Promise<void>
}

export interface LogoutSenderNeeds {
  readonly services: Pick<Services, 'logoutDeliveries' | 'log' | 'database'>
  readonly fetch: GuardedFetch
  readonly current: () => Provider
}

const LOOK_EVERY_MS = 1_000
/** The person who signs out waits no longer than this for their applications. */
const WAIT_MS = 1_000
const MOST_AT_ONCE = 50

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** Starts sending what is due, now and every second. */
export function startLogoutSender({ services, fetch, current }: LogoutSenderNeeds): LogoutSender {
  const { logoutDeliveries, log, database } = services
  const underWay = new Set<Promise<void>>()
  const owedBy = attached<readonly LogoutDelivery[]>()

  const deliver = async (delivery: LogoutDelivery): Promise<void> => {
    const outcome = await attempt(delivery, current(), fetch)
    const again = await logoutDeliveries.settle(delivery, outcome)
    const about = {
      client_id: delivery.client_id,
      sub: delivery.account_id,
      attempt: delivery.attempts,
      status: outcome.status,
      reason: outcome.error,
    }
    if (outcome.error === undefined)
      log.info({ ...about, event: 'backchannel_logout.delivered' }, 'an application was told of a sign-out')
    else if (again !== undefined)
      log.info({ ...about, event: 'backchannel_logout.retry', again }, 'an application did not take a sign-out')
    else log.warn({ ...about, event: 'backchannel_logout.given_up' }, 'an application was not told of a sign-out')
  }

  const send = (delivery: LogoutDelivery): Promise<void> => {
    const sending = deliver(delivery)
      // the claim runs out, and the row is due again
      .catch((error: unknown) => log.warn({ err: error }, 'what came of a logout delivery could not be written down'))
      .finally(() => underWay.delete(sending))
    underWay.add(sending)
    return sending
  }

  // what came of one is written down on its own: nobody else waits for the others with this person
  const sendWhileWaiting = (deliveries: readonly LogoutDelivery[]): Promise<void> =>
    database.apart(async () => {
      const patience = new AbortController()
      const waited = sleep(WAIT_MS, undefined, { signal: patience.signal }).catch(() => {})
      await Promise.race([Promise.all(deliveries.map(send)), waited])
      patience.abort()
    })

  /** Of an endpoint of the library, once it is on record why; of a page of ours, at once. */
  const owe = async (deliveries: readonly LogoutDelivery[]): Promise<void> => {
    const { ctx } = Provider
    if (deliveries.length === 0) return
    if (ctx) owedBy.to(ctx.req, [...(owedBy.of(ctx.req) ?? []), ...deliveries])
    else await sendWhileWaiting(deliveries)
  }

  const sendDue = async (): Promise<void> => {
    const room = MOST_AT_ONCE - underWay.size
    if (room > 0) for (const delivery of await logoutDeliveries.claimDue(room)) void send(delivery)
  }
  const stop = watch(LOOK_EVERY_MS, sendDue, (error) =>
    log.warn({ err: error }, 'logouts that are due could not be looked up; trying on'),
  )

  return {
    serve: (provider) => leaveLogouts(provider, logoutDeliveries, owe),
    async sendOwed({ req }) {
      const owed = owedBy.of(req)
      if (owed) await sendWhileWaiting(owed)
    },
    async close() {
      await stop()
      await Promise.all(underWay)
    },
  }
}

async function attempt(delivery: LogoutDelivery, provider: Provider, fetch: GuardedFetch): Promise<AttemptOutcome> {
  try {
    const client = await provider.Client.find(delivery.client_id)
    if (client?.backchannelLogoutUri === undefined)
      return { status: undefined, error: 'the client is gone, is disabled, or has no address for it now', final: true }
    const { status } = await fetch(client.backchannelLogoutUri, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: await logoutToken(delivery, client, provider) }),
    })
    return { status, error: status === 200 || status === 204 ? undefined : `answered ${status}` }
  } catch (error) {
    return { status: undefined, error: error instanceof Error ? error.message : String(error) }
  }
}

interface LibraryLogoutToken {
  mask: Readonly<Record<string, null>>
  set(claim: string, value: unknown): void
  issue(how: { use: 'logout' }): Promise<string>
}

/** §2.4, signed as the client's ID tokens are. Each attempt has a token of its own, since a token lives two minutes. */
function logoutToken({ account_id: sub, sid }: LogoutDelivery, client: Client, provider: Provider): Promise<string> {
  // boundary: the published types leave out tokens for the use "logout"
  const { IdToken: LibraryToken } = provider as unknown as {
    IdToken: new (claims: { sub: string }, of: { client: Client; ctx: undefined }) => LibraryLogoutToken
  }
  const token = new LibraryToken({ sub }, { client, ctx: undefined })
  token.mask = { sub: null }
  token.set('events', { [LOGOUT_EVENT]: {} })
  token.set('jti', randomUUID())
  if (sid !== null) token.set('sid', sid)
  return token.issue({ use: 'logout' })
}

/**
 * Replaces what the library does at the end of a session, and what it writes while one goes on. A session's own JSON
 * would tell its clients too, but of two tabs that finish at once one overwrites what the other wrote.
 */
function leaveLogouts(
  provider: Provider,
  deliveries: Services['logoutDeliveries'],
  owe: (deliveries: readonly LogoutDelivery[]) => Promise<void>,
): void {
  // boundary: prototypes of the library's models, with methods that its types leave out
  const client = provider.Client.prototype as unknown as { backchannelLogout(): Promise<void> }
  const session = provider.Session.prototype as unknown as Pick<Session, 'save' | 'destroy'>
  const { save, destroy } = session

  session.save = async function (this: Session, ttl: number) {
    const { client: present } = Provider.ctx?.oidc ?? {}
    const sid = present?.backchannelLogoutUri === undefined ? undefined : this.sidFor(present.clientId)
    if (present && sid !== undefined && this.accountId !== undefined)
      await deliveries.join({ sessionUid: this.uid, clientId: present.clientId, sid, accountId: this.accountId })
    return save.call(this, ttl)
  }

  session.destroy = async function (this: Session) {
    const owed = await deliveries.endSession(this.uid)
    await destroy.call(this)
    await owe(owed)
  }

  client.backchannelLogout = async function (this: Client) {
    const { params, session: present } = Provider.ctx?.oidc ?? {}
    // the whole session is about to be destroyed, with one delivery for each client
    if (!present || params?.['logout'] !== undefined) return
    await owe(await deliveries.leaveSession(present.uid, this.clientId))
  }
}
