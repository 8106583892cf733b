/**
 * The protocol library's configuration, from our settings. Everything that the library would fill in with a default it
 * warns about is given here; a test starts the server, plays every flow, and fails on any word it prints.
 */
import { errors, type Configuration, type JWKS } from 'oidc-provider'
import { SUPPORTED_ACRS } from '#core/authentication.ts'
import { OFFERED_METHODS } from '#core/clients/auth-methods.ts'
import { RESPONSE_TYPES } from '#core/clients/response-flows.ts'
import { OFFERED_SCOPES } from '#core/clients/scopes.ts'
import { interactionPath } from '#core/issuer-paths.ts'
import type { Services, Settings } from '#core/services.ts'
import type { GuardedFetch } from '#platform/fetch.ts'
import { LOCALES } from '#platform/http/language.ts'
import { adapterFactory } from './adapter.ts'
import { findAccount } from './accounts.ts'
import { SCOPE_CLAIMS } from './claims.ts'
import { authorizationDetails, checkRefreshedDetails } from './authorization-details.ts'
import { backchannelAuthentication, requestSeconds } from './backchannel-authentication.ts'
import { boundTokensWhereOffered, certificateMethods, mutualTls } from './client-certificates.ts'
import { judgeAssertion, PREVIOUS_SECRET } from './client-authentication.ts'
import { clientDocuments } from './client-documents.ts'
import { clientSettings, HOUSE_MEMBERS } from './clients.ts'
import { isDocumentId } from './client-documents.ts'
import { cookies } from './cookies.ts'
import { DEVICE_CODE_SECONDS, type DeviceFlow } from './device.ts'
import { encryptedWith } from './encryption.ts'
import type { ErrorPage } from './errors.ts'
import { codeSeconds, isFapi2, judgeProof } from './fapi2.ts'
import { SWITCHES } from './features.ts'
import { loadExistingGrant } from './grants.ts'
import type { LogoutPages } from './logout.ts'
import { outboundCalls } from './outbound.ts'
import { policy, promptValues } from './policy.ts'
import { draftedClient, registeredClients, registration } from './registration.ts'
import { REQUIRE_NONCE, requireNonce } from './required-nonce.ts'
import { accessTokenSeconds, introspectionPolicy, resources } from './resources.ts'
import { keysAreHere, signedWith } from './signing.ts'
import { pairwise } from './subjects.ts'

const DAY = 86_400
const INTERACTION_SECONDS = 3_600
/** What nobody has acted on yet anybody can have stored: see strangers-writes.ts. */
const UNTOUCHED_SECONDS = 1_800

export interface ConfigurationNeeds {
  readonly services: Services
  readonly jwks: JWKS
  /** Names of the authorization details that some API has. */
  readonly detailTypes: readonly string[]
  readonly refreshKeys: () => Promise<void>
  readonly renderError: ErrorPage
  readonly logout: LogoutPages
  readonly fetch: GuardedFetch
  readonly deviceFlow: DeviceFlow
}

/** The part that decides whether a client's metadata is valid; needs no database. */
export function protocol(settings: Settings, jwks: JWKS): Configuration {
  const boundTokens = boundTokensWhereOffered(settings)
  const drafted = draftedClient(settings)
  return {
    jwks,
    scopes: [...OFFERED_SCOPES],
    acrValues: SUPPORTED_ACRS,
    claims: { ...SCOPE_CLAIMS, acr: null, sid: null, auth_time: null, amr: null, iss: null },
    clientAuthMethods: [...OFFERED_METHODS, ...certificateMethods(settings)],
    assertJwtClientAuthClaimsAndHeader: judgeAssertion,
    responseTypes: [...RESPONSE_TYPES],
    subjectTypes: ['public', 'pairwise'],
    // for clients that are stored sector-document.ts does, before a transaction begins
    sectorIdentifierUriValidate: ({ clientId }) => isDocumentId(clientId),
    extraClientMetadata: {
      validator(ctx, property, value, metadata) {
        if (property === 'type') drafted(ctx, metadata)
        boundTokens.validator(ctx, property, value)
      },
      properties: [...HOUSE_MEMBERS, 'request_uris', REQUIRE_NONCE, PREVIOUS_SECRET, ...boundTokens.properties],
    },
    extraParams: { nonce: requireNonce },
    pkce: {
      required: (_ctx, client) =>
        client.tokenEndpointAuthMethod === 'none' || clientSettings(client).requirePkce || isFapi2(client),
    },
    routes: {
      authorization: '/authorize',
      backchannel_authentication: '/backchannel_authentication',
      code_verification: '/device',
      device_authorization: '/device_authorization',
      end_session: '/logout',
      introspection: '/introspect',
      jwks: '/.well-known/jwks.json',
      pushed_authorization_request: '/par',
      registration: '/register',
      revocation: '/revoke',
      token: '/token',
      userinfo: '/userinfo',
    },
    ttl: lifetimes(settings),
    enabledJWA: { ...signedWith(), ...encryptedWith() },
    conformIdTokenClaims: false, // findAccount gives strict clients less, see accounts.ts
    acceptQueryParamAccessTokens: false,
    allowOmittingSingleRegisteredRedirectUri: false,
  }
}

/** The whole configuration of a serving provider. */
export function configuration({
  services,
  jwks,
  detailTypes,
  refreshKeys,
  renderError,
  logout,
  fetch,
  deviceFlow,
}: ConfigurationNeeds): Configuration {
  const { settings, secrets, apis } = services
  const ownKeysAreHere = keysAreHere(jwks, refreshKeys)
  const { feature: resourceIndicators, checkRefresh } = resources(apis, ownKeysAreHere)
  const pairwiseSubject = pairwise(services.pairwiseSubjects)
  const prompts = policy(pairwiseSubject)
  const [nonceSecret] = secrets.derivedKeys('dpop-nonce')
  return {
    ...protocol(settings, jwks),
    adapter: adapterFactory({
      ...services,
      registered: registeredClients(services),
      refreshReuseSeconds: settings.tokens.refreshReuseSeconds,
      sessionAbsoluteSeconds: settings.session.absoluteSeconds,
      keysAreHere: ownKeysAreHere,
      detailTypes,
    }),
    findAccount: findAccount(services),
    pairwiseIdentifier: (_ctx, accountId, client) => pairwiseSubject(client, accountId),
    loadExistingGrant: loadExistingGrant(services),
    interactions: {
      policy: prompts,
      url: (_ctx, { uid }) => interactionPath(settings.issuer, uid),
    },
    discovery: { prompt_values_supported: promptValues(prompts), ui_locales_supported: LOCALES },
    cookies: cookies(settings.issuer, secrets),
    clientBasedCORS: (_ctx, origin, client) =>
      clientSettings(client).type === 'spa' &&
      client.redirectUris?.some((uri) => URL.parse(uri)?.origin === origin) === true,
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') &&
      (source.scopes.has('offline_access') || clientSettings(client).refreshTokens === 'always'),
    async rotateRefreshToken(ctx) {
      await checkRefresh(ctx)
      checkRefreshedDetails(ctx)
      return !isFapi2(ctx.oidc.client) // FAPI 2.0 §5.3.2.1 no. 9
    },
    renderError,
    ...outboundCalls(fetch),
    features: {
      ...SWITCHES,
      introspection: { enabled: true, allowedPolicy: introspectionPolicy(apis, services.accounts) },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators,
      richAuthorizationRequests: authorizationDetails(apis, detailTypes),
      ...mutualTls(settings),
      dPoP: { enabled: true, nonceSecret, requireNonce: judgeProof },
      deviceFlow,
      ciba: backchannelAuthentication(services),
      ...registration(settings),
      ...clientDocuments(services),
      rpInitiatedLogout: { enabled: true, logoutSource: logout.confirm, postLogoutSuccessSource: logout.done },
    },
  }
}

function lifetimes({ tokens, session }: Settings): NonNullable<Configuration['ttl']> {
  const now = () => Math.floor(Date.now() / 1000)
  return {
    AccessToken: accessTokenSeconds(tokens.accessSeconds),
    AuthorizationCode: codeSeconds(tokens.codeSeconds),
    ClientCredentials: accessTokenSeconds(tokens.accessSeconds),
    BackchannelAuthenticationRequest: (ctx) => requestSeconds(ctx.oidc.params),
    DeviceCode: DEVICE_CODE_SECONDS,
    IdToken: tokens.idSeconds,
    Interaction: (_ctx, { session, lastSubmission }) =>
      session?.accountId === undefined && lastSubmission === undefined ? UNTOUCHED_SECONDS : INTERACTION_SECONDS,
    // a grant is not extended by a refresh, so it has to outlive every chain of refresh tokens
    Grant: tokens.refreshAbsoluteSeconds + DAY,
    RefreshToken: (_ctx, { iiat = now() }) => {
      const left = iiat + tokens.refreshAbsoluteSeconds - now()
      // its predecessor was alive a moment ago
      if (left < 1) throw new errors.InvalidGrant('refresh token is expired')
      return Math.min(tokens.refreshSeconds, left)
    },
    Session: (_ctx, { accountId, loginTs = now(), transient = false }) => {
      // nobody signed in: such a session only carries a form, and anybody can have one made
      if (accountId === undefined) return Math.min(UNTOUCHED_SECONDS, session.idleSeconds)
      const left = loginTs + session.absoluteSeconds - now()
      return Math.max(1, transient ? Math.min(session.idleSeconds, left) : left)
    },
  }
}
