/**
 * The person's part of backchannel authentication (CIBA): what waits for them, whether this browser's sign-in is good
 * enough to answer it, and the answer, which is given once. The request is the library's; its row is found by the
 * digest of its id, so that no page and no address holds what the client redeems.
 */
import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import { errors, type Grant } from 'oidc-provider'
import { statedAcr } from '#core/authentication.ts'
import { isOpenTo, type Client } from '#core/clients/client.ts'
import { OWN_CLIENT_ID, ownPage } from '#core/clients/own-client.ts'
import { isOfferedScope } from '#core/clients/scopes.ts'
import type { Account } from '#core/accounts/account.ts'
import { basePath } from '#core/issuer-paths.ts'
import type { Services } from '#core/services.ts'
import type { AskedConsent } from '#core/sign-in-steps.ts'
import { AlreadyAnswered } from './adapter.ts'
import { factsOf, type RequestFacts } from '#platform/http/request-facts.ts'
import { acrDemand, standingOf, type Standing } from './authentication.ts'
import { requestsOf, type BackchannelRequest } from './backchannel-requests.ts'
import { ownClaimsToAllow } from './claim-consent.ts'
import { SCOPE_CLAIMS } from './claims.ts'
import { NOT_ASKED_FOR } from './grants.ts'
import type { Protocol } from './provider.ts'
import { apisInWords, grantAsked, scopesByApi } from './resource-consent.ts'

/** Whoever this browser is signed in as, and how that was proven. */
export interface SignedIn {
  readonly account: Account
  readonly amr: readonly string[]
  /** When, in seconds since the epoch. */
  readonly at: number
  /** The token that forms of this session have to carry. */
  readonly csrf: string
  readonly request: RequestFacts
}

/** One request for a person's answer. */
export interface Approval {
  /** For addresses: worth nothing to a client. */
  readonly id: string
  readonly accountId: string
  readonly client: Client
  readonly bindingMessage: string | undefined
  readonly madeAt: number
  readonly asked: AskedConsent
  /** What the client redeems: a secret between it and the server. */
  readonly authReqId: string
  readonly params: Readonly<Record<string, unknown>>
  readonly answer: BackchannelRequest['answer']
}

export interface Approvals {
  signedIn(ctx: Context): Promise<SignedIn | undefined>
  /** What waits for the person; what ends first comes first. */
  list(account: Account): Promise<readonly Approval[]>
  /** The request, answered or not, if it is for this very person and has not ended. */
  find(id: string, account: Account): Promise<Approval | undefined>
  /** Whether the sign-in is what the request demands; where it is not, `prove` leads to one that is. */
  standing(approval: Approval, signedIn: SignedIn): Standing
  /** Sends the browser to sign in, for the request if one is named; it comes back with `state` as the request's id. */
  prove(ctx: Context, approval?: Approval): void
  /** Gives the client what it asked for, unless the request was answered or ended meanwhile. */
  approve(approval: Approval, signedIn: SignedIn): Promise<void>
  /** Tells the client no, unless the request was answered or ended meanwhile. */
  deny(approval: Approval, signedIn: SignedIn): Promise<void>
}

export function createApprovals(protocol: Protocol, services: Services): Approvals {
  const { accounts, apis, audit, clients, clock, consents, log, secrets, settings } = services

  const approvalOf = async (request: BackchannelRequest, account: Account): Promise<Approval | undefined> => {
    const client = await clients.find(request.clientId)
    if (!client || client.disabled || !isOpenTo(client, account)) return undefined
    const { id, accountId, iat, jti, params, answer: given } = request
    const { binding_message: message } = params
    return {
      id,
      accountId,
      client,
      bindingMessage: typeof message === 'string' ? message : undefined,
      madeAt: iat,
      asked: {
        scopes: request.scope.split(' ').filter((scope) => isOfferedScope(scope)),
        claims: claimsAsked(request, client),
        resources: await apisInWords(apis, params),
        details: [], // refused at the backchannel, see authorization-details.ts
      },
      authReqId: jti,
      params,
      answer: given,
    }
  }

  const ofPerson = async (account: Account, wanted: (request: BackchannelRequest) => boolean): Promise<Approval[]> => {
    const requests = (await requestsOf(services, account.id)).filter(wanted)
    const approvals = await Promise.all(requests.map((request) => approvalOf(request, account)))
    return approvals.filter((approval) => approval !== undefined)
  }

  /** The library writes the answer, which the adapter lets pass once, and pings the client. True where it was written. */
  const answer = async (
    approval: Approval,
    { request: by }: SignedIn,
    result: Grant | errors.OIDCProviderError,
    signIn?: { acr: string | undefined; amr: string[]; authTime: number },
  ): Promise<boolean> => {
    const provider = protocol.current()
    const request = await provider.BackchannelAuthenticationRequest.find(approval.authReqId)
    if (!request) return false
    try {
      await provider.backchannelResult(request, result, signIn)
    } catch (error) {
      if (error instanceof AlreadyAnswered) return false
      throw error
    }
    const about = { client_id: approval.client.id, sub: approval.accountId }
    await audit.record({
      type: signIn ? 'consent.granted' : 'consent.denied',
      by: { kind: 'person', request: by },
      accountId: approval.accountId,
      clientId: approval.client.id,
      facts: { scopes: approval.asked.scopes, flow: 'backchannel_authentication' },
    })
    if (signIn) log.info({ ...about, event: 'backchannel_authentication.approved' }, 'a person approved a request')
    else log.info({ ...about, event: 'backchannel_authentication.denied' }, 'a person denied a request')
    return true
  }

  return {
    async signedIn(ctx) {
      const { accountId, amr = [], loginTs = 0, uid } = await protocol.current().Session.get(ctx)
      const account = accountId === undefined ? undefined : await accounts.findById(accountId)
      if (!account || account.disabled) return undefined
      return {
        account,
        amr,
        at: loginTs,
        csrf: secrets.keyedDigest('csrf', `approvals\0${uid}`),
        request: factsOf(ctx.req),
      }
    },

    list: (account) => ofPerson(account, ({ answer: given }) => given === undefined),
    find: async (id, account) => (await ofPerson(account, (request) => request.id === id))[0],
    standing: (approval, { amr, at }) => standingOf(approval, { amr, at }, clock.now()),

    prove(ctx, approval) {
      const acrs = approval ? acrDemand(approval.params).values : []
      const request = new URLSearchParams({
        client_id: OWN_CLIENT_ID,
        response_type: 'code',
        redirect_uri: ownPage(settings.issuer),
        scope: 'openid',
        // the digest of nothing that anybody knows: the code that comes back is worth nothing
        code_challenge: randomBytes(32).toString('base64url'),
        code_challenge_method: 'S256',
        ...(approval && { state: approval.id, prompt: 'login' }),
        ...(acrs.length > 0 && { acr_values: acrs.join(' ') }),
      })
      ctx.status = 303
      ctx.redirect(`${basePath(settings.issuer)}/authorize?${request.toString()}`)
    },

    async approve(approval, signedIn) {
      const { amr, at } = signedIn
      const { accountId, client, asked, params } = approval
      const { Grant: LibraryGrant } = protocol.current()
      const grant = new LibraryGrant({ accountId, clientId: client.id })
      grantAsked(grant, asked)
      await grant.save()
      const acr = statedAcr(acrDemand(params), amr)
      const isWritten = await answer(approval, signedIn, grant, { acr, amr: [...amr], authTime: at })
      if (!isWritten) return grant.destroy()
      await consents.remember(accountId, client.id, { ...asked, resources: scopesByApi(asked.resources) })
    },

    async deny(approval, signedIn) {
      await answer(approval, signedIn, new errors.AccessDenied('the person did not allow it'))
    },
  }
}

/** The claims that were asked for by name and that there are, and those that the client's settings name. */
function claimsAsked({ claims, scope }: BackchannelRequest, client: Client): string[] {
  const known = new Set(Object.values(SCOPE_CLAIMS).flat())
  const named = Object.keys({ ...claims.id_token, ...claims.userinfo }).filter((claim) => known.has(claim))
  const all = [...named, ...ownClaimsToAllow(client, new Set(scope.split(' ')))]
  return [...new Set(all)].filter((claim) => !NOT_ASKED_FOR.has(claim))
}
