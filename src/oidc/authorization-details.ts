/**
 * Rich authorization requests (RFC 9396). A detail is of a type that an API has which the request names by `resource`, so it
 * ends up in the token for that API and in no other. The person is asked each time: unlike a scope, a detail is about one
 * thing to do. What was allowed is kept with the code and the refresh token, not for the next request.
 */
import { isDeepStrictEqual } from 'node:util'
import { errors, type KoaContextWithOIDC, type RichAuthorizationRequestsActiveConfiguration } from 'oidc-provider'
import { z } from 'zod'
import type { Apis } from '#core/apis/apis.ts'
import { detailLines, detailProblem, MAX_DETAILS_LENGTH, type Detail } from '#core/apis/detail-type.ts'
import type { AskedDetail } from '#core/sign-in-steps.ts'
import { AppError } from '#platform/errors.ts'

export type DetailsFeature = RichAuthorizationRequestsActiveConfiguration & {
  authorizationDetailsForIntrospection: (ctx: KoaContextWithOIDC, token: object) => Detail[]
}

/** Where people are asked on a page that shows no details. */
const NOT_IN_THE_BROWSER = ['device_authorization', 'backchannel_authentication']

const detailShape = z.looseObject({ type: z.string() })
const details = z.array(detailShape).default([])

/** What the library has to know. @param types names of all types that some API has */
export function authorizationDetails(apis: Pick<Apis, 'find'>, types: readonly string[]): DetailsFeature {
  const validate = async ({ oidc }: KoaContextWithOIDC, detail: unknown): Promise<void> => {
    // there a request says which of the details that were allowed it is for
    if (oidc.route === 'token') return
    if (NOT_IN_THE_BROWSER.includes(oidc.route)) throw refused('details are asked for in the browser of the person')
    if (String(oidc.params?.['authorization_details']).length > MAX_DETAILS_LENGTH)
      throw refused(`authorization_details has at most ${MAX_DETAILS_LENGTH} characters`)
    const asked = detailShape.parse(detail)
    const found = await typeAt(apis, oidc.params?.['resource'], asked)
    if (!found) throw refused(`resource has to name one API that has details of the type ${asked.type}`)
    const problem = detailProblem(asked, found.type)
    if (problem !== undefined) throw refused(problem)
  }

  return {
    enabled: true,
    types: Object.fromEntries(types.map((type) => [type, { validate }])),
    authorizationDetailsForGrantSource: ({ oidc }) => detailsIn(oidc.params?.['authorization_details']),
    authorizationDetailsForAccessToken: async (ctx, token, source) => {
      const wanted = wantedOf(ctx, source)
      const audience = 'resourceServer' in token ? token.resourceServer?.audience : undefined
      const api = typeof audience === 'string' ? await apis.find(audience) : undefined
      return wanted.filter(({ type }) => api?.detailTypes.some((known) => known.type === type))
    },
    authorizationDetailsForIntrospection: (_ctx, token) => rarOf(token),
  }
}

/** Refuses a refresh for details that were not allowed, before the refresh token is used up. @throws InvalidAuthorizationDetails */
export function checkRefreshedDetails(ctx: KoaContextWithOIDC): void {
  wantedOf(ctx, ctx.oidc.entities.RefreshToken)
}

/** Details of a request that passed the checks above. */
function detailsIn(parameter: unknown): Detail[] {
  return typeof parameter === 'string' ? details.parse(JSON.parse(parameter)) : []
}

/** The details of a request in words, for the consent page. @throws AppError(expired) where one of them is gone meanwhile */
export async function detailsInWords(
  apis: Pick<Apis, 'find'>,
  params: Readonly<Record<string, unknown>>,
): Promise<AskedDetail[]> {
  return Promise.all(
    detailsIn(params['authorization_details']).map(async (detail) => {
      const found = await typeAt(apis, params['resource'], detail)
      if (!found) throw goneMeanwhile()
      return { title: found.type.title, api: found.api.name, lines: detailLines(detail) }
    }),
  )
}

/** All that was allowed, or those of it that the token request names. */
function wantedOf({ oidc }: KoaContextWithOIDC, source: unknown): Detail[] {
  const allowed = rarOf(source)
  const named = oidc.params?.['authorization_details']
  if (typeof named !== 'string') return allowed
  const wanted = detailsIn(named)
  if (wanted.every((one) => allowed.some((other) => isDeepStrictEqual(one, other)))) return wanted
  throw refused('a token request names details that were allowed, as they were allowed')
}

/** The type of a detail, at the one of the named APIs that has it; undefined where there are several. */
async function typeAt(apis: Pick<Apis, 'find'>, resource: unknown, { type: name }: Detail) {
  const named = await Promise.all(textsIn(resource).map((identifier) => apis.find(identifier)))
  const [found, another] = named.flatMap((api) => {
    const type = api?.detailTypes.find((known) => known.type === name)
    return api && type ? [{ api, type }] : []
  })
  return another ? undefined : found
}

function rarOf(source: unknown): Detail[] {
  return typeof source === 'object' && source !== null && 'rar' in source ? details.parse(source.rar) : []
}

function goneMeanwhile(): AppError {
  return new AppError('expired', 'What the app asked for cannot be had any more.', {
    hint: 'Go back to the app and begin again.',
  })
}

function textsIn(value: unknown): string[] {
  return [value].flat().filter((one) => typeof one === 'string')
}

function refused(why: string): errors.InvalidAuthorizationDetails {
  return new errors.InvalidAuthorizationDetails(why)
}
