import { errors } from 'oidc-provider'
import { judgeFapi2RequestObject, type RequestObjectJudge } from './fapi2.ts'

/** CIBA Core 1.0 §7.1.1; the library asks for `iss` and `aud` itself. */
const OF_A_BACKCHANNEL_REQUEST = ['exp', 'iat', 'nbf', 'jti']

/** What a signed request has to hold besides what RFC 9101 demands of all. @throws InvalidRequestObject */
export const judgeRequestObject: RequestObjectJudge = (ctx, claims, header, client) => {
  const wanted = ctx.oidc.route === 'backchannel_authentication' ? OF_A_BACKCHANNEL_REQUEST : []
  const missing = wanted.find((claim) => claims[claim] === undefined)
  if (missing !== undefined) throw new errors.InvalidRequestObject(`the request object has no claim ${missing}`)
  return judgeFapi2RequestObject(ctx, claims, header, client)
}
