/**
 * The protocol library, running. The library takes its signing keys once, when it is made; keys change, so the server
 * holds the current provider and replaces it: requests under way finish on the one they began with, and everything
 * else is in the database. Making a provider costs about 2 ms (measured).
 */
import { isDeepStrictEqual } from 'node:util'
import type { Context, Middleware } from 'koa'
import { Provider, type KoaContextWithOIDC } from 'oidc-provider'
import type { ProtocolPages } from '#core/feature.ts'
import type { Services } from '#core/services.ts'
import type { PublishedKeys } from '#core/signing-keys/signing-keys.ts'
import type { Secrets } from '#core/secrets.ts'
import { AppError } from '#platform/errors.ts'
import type { GuardedFetch } from '#platform/fetch.ts'
import { watch } from '#platform/watch.ts'
import { bindAccessTokens } from './access-token-hash.ts'
import { stateAcr } from './authentication.ts'
import { takePreviousSecret } from './client-authentication.ts'
import { outlivePings } from './backchannel-authentication.ts'
import { startLogoutSender, type LogoutSender } from './backchannel-logout.ts'
import { releaseClaims } from './claim-release.ts'
import { configuration } from './configuration.ts'
import { deviceFlow } from './device.ts'
import { waitForKeysApart } from './encryption.ts'
import { renderProtocolError } from './errors.ts'
import { countTokens } from './token-counts.ts'
import { recordEvents } from './audit-notes.ts'
import { tellEvents } from './events.ts'
import { logoutPages } from './logout.ts'
import { outboundFetch } from './outbound.ts'
import { orderPolledCodes } from './polled-codes.ts'
import { refuseParallelUses } from './replay.ts'
import { keepAdministrators } from './registration.ts'
import { refuseUnregisteredAnswers } from './registered-answers.ts'
import { renewIdentifierAtSignIn } from './session-identifier.ts'
import { leaveOutRetired } from './signing.ts'
import { limitUserCodes } from './user-codes.ts'

/** How often each process looks whether the published keys have changed, in milliseconds. */
const KEY_WATCH_MS = 500

export interface Protocol {
  /** The provider of this moment. Ask again in each request; never keep it. */
  current(): Provider
  /** Every protocol endpoint. */
  readonly middleware: Middleware
  /** Looks for changed keys and types of details now; the watch does it twice a second. */
  refreshKeys(): Promise<void>
  /** Stops looking for changed keys and for logouts that are due; what is being sent is finished. */
  close(): Promise<void>
}

/** Opens the protocol endpoints with the keys that are published now, and keeps watching the keys. */
export async function openProtocol(services: Services, pages: ProtocolPages): Promise<Protocol> {
  const { signingKeys, apis, log, database } = services
  const load = async (): Promise<Published> => ({
    ...(await signingKeys.load()),
    detailTypes: await apis.detailTypes(),
  })
  let published = await load()
  const refreshKeys = async (): Promise<void> => {
    const sameKeys = (await signingKeys.version()) === published.version
    if (sameKeys && isDeepStrictEqual(await apis.detailTypes(), published.detailTypes)) return
    published = await load()
    provider = makeProvider(services, pages, published, around)
    log.info(sameKeys ? 'types of authorization details changed' : 'signing keys changed')
  }
  const callOut = outboundFetch(services)
  // others wait for the commit of a request, which therefore waits for no stranger's server
  const fetch: GuardedFetch = (...call) => database.apart(() => callOut(...call))
  const logouts = startLogoutSender({ services, fetch, current: () => provider })
  const around: Around = { refreshKeys, fetch, logouts }
  let provider = makeProvider(services, pages, published, around)

  const endWatch = watch(KEY_WATCH_MS, refreshKeys, (error) =>
    log.warn({ err: error }, 'the signing keys could not be looked up; going on with those in use'),
  )

  return {
    current: () => provider,
    async middleware(ctx, next) {
      await endpointsOf(provider)(ctx, next)
      await recordEvents(ctx, services.audit)
      await logouts.sendOwed(ctx)
      throwOwnError(ctx)
      leaveOutRetired(ctx, published.unpublished)
    },
    refreshKeys,
    async close() {
      await endWatch()
      await logouts.close()
    },
  }
}

/** What the library takes once. */
interface Published extends PublishedKeys {
  /** Names of the authorization details that some API has. */
  readonly detailTypes: readonly string[]
}

/** What is one for all providers of a server, in turn. */
interface Around {
  readonly refreshKeys: () => Promise<void>
  readonly fetch: GuardedFetch
  readonly logouts: LogoutSender
}

function makeProvider(
  services: Services,
  pages: ProtocolPages,
  { keys, detailTypes }: Published,
  { refreshKeys, fetch, logouts }: Around,
): Provider {
  const { settings, log, secrets } = services
  const provider = new Provider(
    settings.issuer,
    configuration({
      services,
      jwks: { keys: [...keys] },
      detailTypes,
      refreshKeys,
      renderError: renderProtocolError,
      logout: logoutPages(pages),
      fetch,
      deviceFlow: deviceFlow(pages),
    }),
  )
  if (settings.tokens.refreshReuseSeconds > 0) nameSuccessors(provider, secrets)
  takePreviousSecret(provider)
  keepAdministrators(provider)
  refuseParallelUses(provider)
  refuseUnregisteredAnswers(provider)
  stateAcr(provider)
  releaseClaims(provider, services.claimReceipts)
  bindAccessTokens(provider)
  waitForKeysApart(provider, services.database)
  renewIdentifierAtSignIn(provider)
  logouts.serve(provider)
  limitUserCodes(provider, services)
  orderPolledCodes(provider)
  outlivePings(provider, log)
  tellEvents(provider, services)
  countTokens(provider, services.metrics.tokens, services.database)
  provider.on('server_error', keepOwnError)
  return provider
}

/** Where one request keeps an error of ours that the library caught. */
const OWN_ERROR = 'errorOfOurs'

function keepOwnError(ctx: KoaContextWithOIDC, error: Error): void {
  if (error instanceof AppError) ctx.state[OWN_ERROR] = error
}

/**
 * The library answers every error that is not its own with 500. An error of ours is told outside in one way only, with
 * its status, Retry-After and page, so it is thrown again where the library has ended: platform/http/errors.ts answers.
 */
function throwOwnError(ctx: Context): void {
  const error: unknown = ctx.state[OWN_ERROR]
  if (error instanceof AppError) throw error
}

/** A provider is a Koa app whose one middleware is its router; ours is the app around it. */
function endpointsOf(provider: Provider): Middleware {
  const [router] = provider.middleware
  if (!router || provider.middleware.length !== 1) throw new Error('the protocol library no longer is one middleware')
  return router
}

/**
 * Makes the successor of a refresh token a function of the token: of several uses at once, or a use repeated because
 * the answer was lost, each yields the same successor, so that there never are two (RFC 9700 §4.14.2). The adapter
 * lets the repetition in for a few seconds only. The hook is a method of the library's models that its types leave
 * out; test/conformance/refresh-rotation.test.ts fails if it goes away.
 */
function nameSuccessors(provider: Provider, secrets: Secrets): void {
  // boundary: see above
  const model = provider.RefreshToken.prototype as unknown as { generateTokenId(): string }
  const random = model.generateTokenId
  model.generateTokenId = function (this: object): string {
    const predecessor = Provider.ctx?.oidc.entities.RotatedRefreshToken?.jti
    return predecessor === undefined ? random.call(this) : secrets.keyedDigest('refresh-successor', predecessor)
  }
}
