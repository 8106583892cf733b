/**
 * The server as one Koa app. The table in `createApp` is the order in which a request meets its middleware. The outer
 * app, not the protocol library's, is the one that answers: so signing keys can be swapped under it, one error id is
 * given, and one set of headers stands on every page, the library's own included.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import Koa, { type Middleware } from 'koa'
import mount from 'koa-mount'
import type { Feature, ProtocolPages } from '#core/feature.ts'
import { basePath } from '#core/issuer-paths.ts'
import type { Services } from '#core/services.ts'
import { cookieSigner } from '#oidc/cookies.ts'
import { createApprovals } from '#oidc/approvals.ts'
import { noUserCodes } from '#oidc/backchannel-authentication.ts'
import { createInteractions } from '#oidc/interactions.ts'
import type { Needs } from '#oidc/needs.ts'
import { endOvertakenSignIns } from '#oidc/overtaken-sign-ins.ts'
import { polling } from '#oidc/polling.ts'
import { postedRequests } from '#oidc/posted-requests.ts'
import { preparedDocuments } from '#oidc/prepared-documents.ts'
import { openProtocol } from '#oidc/provider.ts'
import { recordRefusals } from '#oidc/refusals.ts'
import { registrationDoor } from '#oidc/registration.ts'
import { requestsByReference } from '#oidc/requests-by-reference.ts'
import { gatheredWrites, storedAnswers } from '#oidc/stored-answers.ts'
import { boundStrangersWrites } from '#oidc/strangers-writes.ts'
import { uiLocales } from '#oidc/ui-locales.ts'
import { countWrongSecrets } from '#oidc/wrong-secrets.ts'
import { withPatience } from '#platform/database/patience.ts'
import { loadAssets } from '#platform/http/assets.ts'
import { errorBoundary } from '#platform/http/errors.ts'
import { refuseForeignOrigin } from '#platform/http/forms.ts'
import { securityHeaders } from '#platform/http/headers.ts'
import { language } from '#platform/http/language.ts'
import { viewMiddleware } from '#platform/http/render.ts'
import { readySender } from '#platform/http/ready-answers.ts'
import { requestFacts } from '#platform/http/request-facts.ts'
import { requestTelemetry } from '#platform/http/request-telemetry.ts'
import { strictInput } from '#platform/http/strict-input.ts'
import { openWords, readCatalogues } from '#platform/http/words.ts'
import { documentCaching } from '#oidc/document-caching.ts'
import { ROOT, type Config } from './config.ts'

const VIEWS = join(ROOT, 'views')
/** How long a request waits for the database in all; then it is answered 503. */
const REQUEST_PATIENCE_MS = 5_000

export interface App {
  /** Answers a request, whatever becomes of it. */
  answer(req: IncomingMessage, res: ServerResponse): void
  /** Looks for changed signing keys now, instead of within half a second. */
  refreshKeys(): Promise<void>
  close(): Promise<void>
}

/** Assembles the server from opened services and the list of features. It does not listen. */
export async function createApp(config: Config, services: Services, features: readonly Feature<Needs>[]): Promise<App> {
  const issuer = new URL(config.issuer)
  const base = basePath(config.issuer)
  const scheme = issuer.protocol.slice(0, -1)
  const assets = loadAssets(join(VIEWS, 'public'), base)
  const protocol = await openProtocol(services, pagesOf(features, services))
  const needs: Needs = {
    ...services,
    protocol,
    interactions: createInteractions(protocol, services.artifacts, services.apis),
    approvals: createApprovals(protocol, services),
    steps: [],
  }
  const withSteps: Needs = { ...needs, steps: features.flatMap(({ steps }) => steps?.(needs) ?? []) }

  const koa = new Koa()
  answerAsIssuer(koa, issuer)
  koa.keys = cookieKeys(services)
  // errors end in the boundary; what still arrives here broke while an answer was being sent
  koa.on('error', (error: unknown) => services.log.warn({ err: error }, 'an answer could not be sent whole'))

  const { trustedProxies } = config
  const telemetry = { log: services.log, requests: services.metrics.requests, trustedProxies, protocol: scheme }
  const documents = preparedDocuments(base, protocol.current)
  const table: readonly Middleware[] = [
    requestFacts(trustedProxies),
    requestTelemetry(telemetry),
    documents.keep,
    securityHeaders(scheme === 'https'),
    language(config.defaultLocale),
    viewMiddleware({ dir: VIEWS, cache: true, assets, words: openWords(readCatalogues(VIEWS)) }),
    errorBoundary(services.log),
    (_ctx, next) => withPatience(REQUEST_PATIENCE_MS, next),
    ...features.flatMap(({ rootRoutes }) => rootRoutes?.(services) ?? []),
    assets.middleware,
    ...(base === '' ? [] : [metadataOfPath(base)]),
    underBase(base, [
      exactPaths,
      recordRefusals(services.audit),
      strictInput,
      postedRequests,
      gatheredWrites(services),
      forPages(refuseForeignOrigin(issuer.origin)),
      ...features.flatMap(({ routes }) => routes?.(withSteps) ?? []),
      documentCaching,
      boundStrangersWrites(),
      noUserCodes,
      requestsByReference(services),
      countWrongSecrets(services),
      polling(services),
      registrationDoor(services),
      uiLocales,
      storedAnswers(services),
      endOvertakenSignIns(services),
      protocol.middleware,
    ]),
  ]
  for (const middleware of table) koa.use(middleware)

  const sendReady = readySender(telemetry)
  const callKoa = koa.callback()
  return {
    answer(req, res) {
      const ready = documents.find(req)
      if (ready) sendReady(req, res, ready)
      else void callKoa(req, res)
    },
    refreshKeys: protocol.refreshKeys,
    close: protocol.close,
  }
}

/**
 * Whatever Host, X-Forwarded-Host or -Proto say, the server is its issuer: URLs it makes and the Secure flag of its
 * cookies follow the setting, and nobody can bend them from outside.
 */
function answerAsIssuer({ request }: Koa, issuer: URL): void {
  Object.defineProperties(request, {
    host: { get: () => issuer.host },
    protocol: { get: () => issuer.protocol.slice(0, -1) },
  })
}

/** Koa takes Keygrip, or any object with its methods; the library's cookies and ours have one signer. */
function cookieKeys({ secrets }: Services): string[] {
  return cookieSigner(secrets) as unknown as string[]
}

/** Each page comes from one room; a page that no room furnishes would only be missed by the person who needs it. */
function pagesOf(features: readonly Feature<Needs>[], services: Services): ProtocolPages {
  const { confirmLogout, signedOut, deviceCode, deviceConfirm, deviceDone } = Object.assign(
    {},
    ...features.map(({ pages }) => pages?.(services)),
  ) as Partial<ProtocolPages>
  if (!confirmLogout || !signedOut || !deviceCode || !deviceConfirm || !deviceDone)
    throw new Error('a page of the protocol endpoints is furnished by no feature')
  return { confirmLogout, signedOut, deviceCode, deviceConfirm, deviceDone }
}

/**
 * The routers below take a path in any case and with a slash at its end; what stands before them goes by the path as
 * it is written. So that nothing slips past, there is one way to write each path, and the others lead nowhere.
 */
const exactPaths: Middleware = ({ path }, next) => {
  const fixed = path.replace(/^\/(interaction|authorize|device|approvals|register)\/[^/]+/i, '/$1')
  if (fixed === fixed.toLowerCase() && (path === '/' || !path.endsWith('/'))) return next()
}

/** Forms of people are only ever sent from our own pages; the token endpoint and its like are for other origins. */
function forPages(middleware: Middleware): Middleware {
  return (ctx, next) =>
    /^\/(interaction|logout|device|approvals)(\/|$)/.test(ctx.path) ? middleware(ctx, next) : next()
}

function underBase(base: string, stack: readonly Middleware[]): Middleware {
  const inner = new Koa()
  for (const middleware of stack) inner.use(middleware)
  return base === '' ? mount(inner) : mount(base, inner)
}

/** RFC 8414 §3.1: the metadata of an issuer with a path stands under the well-known name, before the path. */
function metadataOfPath(base: string): Middleware {
  const wellKnown = '/.well-known/oauth-authorization-server'
  return (ctx, next) => {
    if (ctx.path === `${wellKnown}${base}`) ctx.url = `${base}${wellKnown}`
    return next()
  }
}
