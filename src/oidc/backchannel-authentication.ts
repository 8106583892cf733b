/**
 * OpenID Client-Initiated Backchannel Authentication (CIBA) Core 1.0, up to the waiting request: the library takes it
 * from an authenticated client, and what it leaves to be decided is decided here. How the person answers stands in
 * approvals.ts, the pace of polls in polling.ts. docs/decisions/018-backchannel-authentication.md has the reasons.
 */
import type { Middleware } from 'koa'
import { errors, type Client, type Configuration, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import { isOpenTo } from '#core/clients/client.ts'
import { DELIVERY_MODES } from '#core/clients/backchannel-grant.ts'
import type { Services } from '#core/services.ts'
import { onPaths } from '#platform/http/on-paths.ts'
import type { Log } from '#platform/log.ts'
import { accountOf } from './accounts.ts'
import { MOST_OF_PERSON, requestsOf } from './backchannel-requests.ts'
import { standingOf } from './authentication.ts'
import { clientSettings } from './clients.ts'
import { DOCUMENTS } from './document-caching.ts'

type Ciba = NonNullable<NonNullable<Configuration['features']>['ciba']>

/** How long a request waits for the person, and the most that `requested_expiry` may ask for. */
const WAITING_SECONDS = 600

/** What one client may have waiting for one person: nobody says yes to the sixth of a row of questions for the right reason. */
const MOST_WAITING = 5

/** One line of ASCII that begins and ends with something that is seen, so that it reads the same on both sides. */
const BINDING_MESSAGE = /^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$/

/** The same answer for everybody who cannot be asked: unknown, disabled, or not among those the client is open to. */
const nobody = () => new errors.UnknownUserId('could not identify end-user')

/** CIBA Core 1.0 §7.1 `requested_expiry` as far as it shortens the time; the library has made sure that it is a number. */
export function requestSeconds(params: KoaContextWithOIDC['oidc']['params']): number {
  const { requested_expiry: requested } = params ?? {}
  return requested === undefined ? WAITING_SECONDS : Math.min(WAITING_SECONDS, Number(requested))
}

/** The library's configuration of the flow. */
export function backchannelAuthentication(services: Services): Ciba {
  const { accounts, clock, log } = services
  return {
    enabled: true,
    deliveryModes: [...DELIVERY_MODES],

    processLoginHint: async (_ctx, hint) => (await accounts.find(hint ?? ''))?.id,

    async processLoginHintToken() {
      throw new errors.InvalidRequest('login_hint_token is not supported; use login_hint or id_token_hint')
    },

    async validateBindingMessage(_ctx, message) {
      if (message !== undefined && !BINDING_MESSAGE.test(message))
        throw new errors.InvalidBindingMessage('binding_message must be 1 to 64 printable ASCII characters')
    },

    async validateRequestContext({ oidc: { params = {} } }, context) {
      if (context !== undefined) throw new errors.InvalidRequest('request_context is not supported')
      const now = clock.now()
      // an essential class that nobody can meet here, however they sign in
      if (standingOf({ params, madeAt: now }, { amr: [], at: 0 }, now) === 'unmet')
        throw new errors.UnmetAuthenticationRequirements(
          'none of the requested authentication context classes can be met',
        )
    },

    // the library's last word on the person before the request is stored, whatever the hint was
    async verifyUserCode({ oidc: { client } }, account, userCode) {
      if (userCode !== undefined) throw new errors.InvalidRequest('user_code is not supported')
      const person = accountOf(account)
      if (!client || !person || !isOpenTo(clientSettings(client), person)) throw nobody()
    },

    async triggerAuthenticationDevice(_ctx, request, { accountId }, { clientId }) {
      // counted with this one in place: of many at the same moment none slips past
      const all = await requestsOf(services, accountId)
      const waiting = all.filter((one) => one.clientId === clientId && one.answer === undefined)
      if (waiting.length > MOST_WAITING || all.length > MOST_OF_PERSON) {
        await request.destroy()
        throw new errors.AccessDenied('too many requests wait for this person; let some of them end')
      }
      log.info(
        { event: 'backchannel_authentication.requested', client_id: clientId, sub: accountId },
        'a client asks for a person',
      )
    },
  }
}

/**
 * Makes a ping that fails (CIBA Core 1.0 §10.2) a line in the log instead of an error for the person, whose answer is
 * written by then; the client may poll for it. The method is one that the library's types leave out;
 * test/flows/ciba-ping.test.ts fails if it goes away.
 */
export function outlivePings({ Client: model }: Provider, log: Log): void {
  // boundary: see above
  const prototype = model.prototype as unknown as { backchannelPing(this: Client, request: unknown): Promise<void> }
  const ping = prototype.backchannelPing
  prototype.backchannelPing = async function (request) {
    const about = { event: 'backchannel_authentication.ping', client_id: this.clientId }
    try {
      await ping.call(this, request)
      log.info(about, 'a client was told of an answer')
    } catch (error) {
      // the error itself may hold the whole answer
      const reason = error instanceof Error ? error.message : String(error)
      log.warn({ ...about, reason }, 'a client could not be told of an answer; it has to poll for it')
    }
  }
}

/** Corrects what the library says of itself in discovery whatever its configuration is: there are no user codes here. */
export const noUserCodes: Middleware = onPaths(DOCUMENTS, async (ctx, next) => {
  await next()
  const { body } = ctx
  if (typeof body === 'object' && body !== null && 'backchannel_user_code_parameter_supported' in body)
    Object.assign(body, { backchannel_user_code_parameter_supported: false })
})
