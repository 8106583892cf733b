/**
 * The protocol's side of core/authentication.ts: what a request demands of the sign-in's class (`acr`), the checks that
 * hold the session to it, and the class that tokens name. The library's own two checks know neither a sign-in that
 * meets several classes nor one that cannot be met, and would show the sign-in page without end.
 */
import { errors, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import { z } from 'zod'
import { judgeAcr, statedAcr, SUPPORTED_ACRS, type AcrDemand, type AcrVerdict } from '#core/authentication.ts'

const { Check } = interactionPolicy

type Parameters = Readonly<Record<string, unknown>> | undefined

const acrClaim = z.object({
  essential: z.boolean().optional(),
  value: z.string().optional(),
  values: z.array(z.string()).optional(),
})
const claimsShape = z.object({ id_token: z.object({ acr: z.unknown() }).partial().optional() })

/**
 * What the request asks for. The acr member of the claims parameter goes before acr_values, which the library also
 * fills with the client's default_acr_values (OpenID Connect Dynamic Client Registration 1.0 §2): a wish never takes
 * the place of an essential demand. @throws InvalidRequest where the member is not of the shape of Core 1.0 §5.5.1
 */
export function acrDemand(params: Parameters): AcrDemand {
  const claim = acrMember(params?.['claims'])
  const own = [...(claim.value === undefined ? [] : [claim.value]), ...(claim.values ?? [])]
  if (own.length > 0) return { values: own, essential: claim.essential === true }
  const wished = params?.['acr_values']
  return { values: typeof wished === 'string' ? wished.split(' ').filter(Boolean) : [], essential: false }
}

/** Refuses what cannot be met, before anybody is troubled with a page. Never asks for anything. */
export function unmetAcr(): interactionPolicy.Check {
  return new Check('acr_unmet', 'the requested authentication context class cannot be met', (ctx) => {
    if (verdict(ctx) !== 'unmet') return false
    throw new errors.UnmetAuthenticationRequirements('none of the requested authentication context classes can be met')
  })
}

/** Asks for a sign-in where the session's is weaker than what is demanded, and a stronger one is possible here. */
export function replaceAcrChecks(prompts: interactionPolicy.DefaultPolicy): void {
  const { checks } = loginOf(prompts)
  for (const reason of ['essential_acrs', 'essential_acr']) {
    if (!checks.get(reason)) throw new Error(`the protocol library no longer has the check ${reason}`)
    checks.remove(reason)
  }
  checks.add(new Check('acr', 'a stronger sign-in is requested', (ctx) => verdict(ctx) === 'prove'))
}

/**
 * A request may name the person by the claims parameter, and somebody else may sign in for it: that is an error
 * (OpenID Connect Core 1.0 §5.5.1), where the library would show the sign-in page again without end.
 */
export function refuseAnotherSubject(prompts: interactionPolicy.DefaultPolicy): void {
  const check = loginOf(prompts).checks.get('claims_id_token_sub_value')
  if (!check) throw new Error('the protocol library no longer looks at the sub of the claims parameter')
  const differs = check.check
  check.check = async (ctx) => {
    if (!(await differs(ctx))) return false
    if (ctx.oidc.result?.login) throw new errors.LoginRequired('somebody else signed in than the request names')
    return true
  }
}

function loginOf(prompts: interactionPolicy.DefaultPolicy): interactionPolicy.Prompt {
  const login = prompts.get('login')
  if (!login) throw new Error('the protocol library no longer has a login prompt')
  return login
}

/** What a sign-in, already there, is to the demands of a request that is answered outside of its own redirect. */
export type Standing = 'enough' | 'prove' | 'unmet'

/**
 * Judges a sign-in by the class that the request demands and by `max_age` and `prompt=login`, which the library makes of
 * `max_age=0` (OpenID Connect Core 1.0 §3.1.2.1), which a sign-in since the request was made fulfils.
 */
export function standingOf(
  request: { readonly params: NonNullable<Parameters>; readonly madeAt: number },
  signIn: { readonly amr: readonly string[]; readonly at: number },
  now: number,
): Standing {
  const { max_age: maxAge, prompt } = request.params
  const justSignedIn = signIn.at >= request.madeAt
  if (prompt === 'login' && !justSignedIn) return 'prove'
  if (typeof maxAge === 'string' && now - signIn.at > Number(maxAge)) return 'prove'
  const judged = judgeAcr(acrDemand(request.params), {
    amr: signIn.amr,
    supported: SUPPORTED_ACRS,
    justSignedIn,
    silent: false,
  })
  return judged === 'go-on' ? 'enough' : judged
}

function verdict({ oidc }: KoaContextWithOIDC): AcrVerdict {
  return judgeAcr(acrDemand(oidc.params), {
    amr: oidc.session?.amr ?? [],
    supported: SUPPORTED_ACRS,
    justSignedIn: oidc.result?.login !== undefined,
    silent: oidc.prompts.has('none'),
  })
}

/**
 * Makes codes and tokens name the class that fits the request and the session's amr; the library would copy what was
 * stored at the sign-in, when this request was not known yet. The getter is not in the library's documents;
 * test/features/acr.test.ts fails if it goes away.
 */
export function stateAcr(provider: Provider): void {
  Object.defineProperty(provider.OIDCContext.prototype, 'acr', {
    configurable: true,
    get(this: KoaContextWithOIDC['oidc']): string | undefined {
      return statedAcr(acrDemand(this.params), this.session?.amr ?? [])
    },
  })
}

function acrMember(claims: unknown): z.infer<typeof acrClaim> {
  if (typeof claims !== 'string') return {}
  // the library has made sure that this is JSON, id_token an object, and each member of it an object or null
  const member = claimsShape.safeParse(JSON.parse(claims)).data?.id_token?.acr
  const parsed = acrClaim.safeParse(member ?? {})
  if (!parsed.success) throw new errors.InvalidRequest('the acr member of the claims parameter is malformed')
  return parsed.data
}
