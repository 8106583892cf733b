// Mistakes at the token endpoint, each of which is refused.
import { expect } from 'vitest'
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { REDIRECT_URI } from './app.ts'
import { asserted, createSecretAssertingClient } from './assertion.ts'
import { answer, asked, createPollingClient, pollFor } from './backchannel.ts'
import { authorizeDevice, pollDevice } from './device.ts'
import type { ExplainScene } from './explain.ts'
import { asWeb, CANARY, FORM, posting, sending, withWrongSecret, type Mistake } from './mistakes.ts'
import { basic, codeFor, post, redeem, refresh, send, token, tokensFor } from './protocol.ts'

type Make = Mistake['make']
type Fields = Readonly<Record<string, string | undefined>>

const redeeming =
  (changes: Fields): Make =>
  async ({ app, web, browser }) =>
    redeem(app, web, await codeFor(app, web, {}, browser), changes)

const offline = async ({ app, web, browser }: ExplainScene): Promise<string> =>
  (await tokensFor(app, web, { scope: 'openid offline_access', prompt: 'consent' }, browser)).refreshToken

export const TOKEN_MISTAKES: Readonly<Record<string, Mistake>> = {
  'a wrong client secret': {
    make: posting('/token', { grant_type: 'authorization_code', code: CANARY }, withWrongSecret),
    type: 'token.refused',
    says: /secret.*secret is wrong.*RFC 6749 §2\.3\.1.*latchkey client rotate-secret \S+ --overlap 86400$/,
    more: { actor: 'unknown', facts: { received: { grant_type: 'authorization_code', also_sent: ['code'] } } },
  },
  'no proof of who it is': {
    make: ({ app, web }) => post(`${app.issuer}/token`, { grant_type: 'authorization_code', client_id: web.client.id }),
    type: 'token.refused',
    says: /in another way.*token_endpoint_auth_method.*nothing to mend/,
  },
  'no client at all': {
    make: posting('/token', { grant_type: 'authorization_code', code: CANARY }),
    type: 'token.refused',
    says: /no client authentication.*said who it is in no way.*RFC 6749 §2\.3/,
  },
  'a header that is no Basic': {
    make: sending('/token', 'grant_type=authorization_code', FORM, { authorization: `Basic ${CANARY}` }),
    type: 'token.refused',
    says: /authorization header.*said who it is.*RFC 6749 §2\.3,/,
  },
  'two proofs at once': {
    make: posting('/token', { grant_type: 'authorization_code', client_secret: CANARY }, asWeb),
    type: 'token.refused',
    says: /one mechanism.*two ways at once/,
  },
  'an assertion that is none': {
    make: ({ app }) => asserted(app, CANARY),
    type: 'token.refused',
    says: /said who it is.*RFC 7521/,
  },
  'an assertion that is over': {
    make: async ({ app }) => asserted(app, await (await createSecretAssertingClient(app)).assertion({ exp: 1 })),
    type: 'token.refused',
    says: /could not prove who it is.*RFC 7523 §3.*nothing to mend/,
  },
  'an unknown client at the token endpoint': {
    make: posting('/token', { grant_type: 'authorization_code', client_id: 'nobody' }),
    type: 'token.refused',
    says: /client not found.*RFC 6749.*latchkey client list$/,
  },
  'a disabled client at the token endpoint': {
    make: posting('/token', { grant_type: 'authorization_code' }, ({ disabled }) => disabled),
    type: 'token.refused',
    says: /A disabled one.*latchkey client enable \S+$/,
  },
  'an unknown code': {
    make: ({ app, web }) => redeem(app, web, CANARY),
    type: 'token.refused',
    says: /authorization code not found.*is not known here any more.*RFC 6749 §4\.1\.2/,
    more: { actor: 'client', facts: { received: { authorization_header: 'basic' } } },
  },
  'no code': {
    make: posting('/token', { grant_type: 'authorization_code', redirect_uri: REDIRECT_URI }, asWeb),
    type: 'token.refused',
    says: /'code'.*is missing.*RFC 6749 .*§4\.1\.3/,
  },
  'a code twice, with its family': {
    make: async ({ app, web, browser }) => {
      const code = await codeFor(app, web, {}, browser)
      await redeem(app, web, code)
      return redeem(app, web, code)
    },
    type: 'token_family.reuse_detected',
    says: /already consumed.*used a second time.*RFC 9700 §4\.14\.2.*nothing to mend/,
    more: { account_id: expect.stringMatching(/-/), client_id: expect.any(String) },
  },
  'another redirect URI at the token endpoint': {
    make: redeeming({ redirect_uri: 'http://localhost:9/other' }),
    type: 'token.refused',
    says: /redirect_uri at \/token.*RFC 6749 §4\.1\.3/,
  },
  'another verifier': {
    make: redeeming({ code_verifier: `${CANARY}${'x'.repeat(43)}` }),
    type: 'token.refused',
    says: /code_verifier does not belong.*RFC 7636 §4\.5/,
  },
  'a verifier that is too short': {
    make: redeeming({ code_verifier: CANARY }),
    type: 'token.refused',
    says: /code_verifier does not belong.*RFC 7636/,
  },
  'a code of another client': {
    make: async ({ app, web, spa, browser }) => redeem(app, spa, await codeFor(app, web, {}, browser)),
    type: 'token.refused',
    says: /another application.*RFC 6749.*nothing to mend/,
  },
  'an unknown refresh token': {
    make: ({ app, web }) => refresh(app, web, CANARY),
    type: 'token.refused',
    says: /refresh token is not known.*RFC 6749 §6/,
  },
  'a refresh token twice, with its family': {
    make: async (scene) => {
      const first = await offline(scene)
      await refresh(scene.app, scene.web, first)
      return refresh(scene.app, scene.web, first)
    },
    type: 'token_family.reuse_detected',
    says: /used a second time/,
  },
  'a refresh for more than was allowed': {
    make: async (scene) => refresh(scene.app, scene.web, await offline(scene), { scope: 'openid phone' }),
    type: 'token.refused',
    says: /missing requested scope.*asked for a scope.*RFC 6749 §3\.3.*latchkey client show \S+$/,
  },
  'tokens for itself': {
    make: posting('/token', { grant_type: 'client_credentials' }, asWeb),
    type: 'token.refused',
    says: /not registered for.*unauthorized_client.*latchkey client create --type service --name NAME$/,
  },
  'tokens for itself, with a scope of nothing': {
    make: ({ app, service }) => token(app, service, { grant_type: 'client_credentials', scope: 'everything' }),
    type: 'token.refused',
    says: /asked for a scope.*latchkey client show \S+$/,
  },
  'tokens for an API that there is not': {
    make: ({ app, service }) =>
      token(app, service, { grant_type: 'client_credentials', resource: 'https://api.example' }),
    type: 'token.refused',
    says: /no API.*RFC 8707.*latchkey api list$/,
  },
  'an unknown grant type': {
    make: posting('/token', { grant_type: 'password', password: CANARY }, asWeb),
    type: 'token.refused',
    says: /not served.*unsupported_grant_type.*nothing to mend/,
  },
  'no grant type': {
    make: posting('/token', {}, asWeb),
    type: 'token.refused',
    says: /'grant_type'.*is missing/,
  },
  'an unknown code of a device': {
    make: ({ app, television }) => pollDevice(app, television, CANARY),
    type: 'token.refused',
    says: /device code not found.*no grant that holds/,
  },
  'a code of a device that a person turned down': {
    make: async ({ app, television, stranger }) => {
      const { complete, deviceCode } = await authorizeDevice(app, television)
      const browser = stranger()
      await browser.submit(await browser.submit(await browser.open(complete), {}), { abort: 'yes' })
      return pollDevice(app, television, deviceCode)
    },
    type: 'token.refused',
    says: /aborted.*turned down.*RFC 8628 §3\.5.*nothing to mend/,
  },
  'a device grant of a client without it': {
    make: posting('/token', { grant_type: DEVICE_GRANT, device_code: CANARY }, asWeb),
    type: 'token.refused',
    says: /not allowed.*latchkey client update \S+ --device-flow$/,
  },
  'an unknown authentication request': {
    make: ({ app, till }) => pollFor(app, till, CANARY),
    type: 'token.refused',
    says: /authentication request not found.*no grant that holds/,
  },
  'an authentication request of another client': {
    make: async ({ app, till }) => pollFor(app, await createPollingClient(app), await asked(app, till)),
    type: 'token.refused',
    says: /another application/,
  },
  'an authentication request that a person denied': {
    make: async ({ app, till, browser }) => {
      const id = await asked(app, till)
      await answer(app, browser, id, 'deny')
      return pollFor(app, till, id)
    },
    type: 'token.refused',
    says: /access_denied.*turned down.*OpenID CIBA/,
  },
  'a grant of CIBA of a client without it': {
    make: posting('/token', { grant_type: CIBA_GRANT, auth_req_id: CANARY }, asWeb),
    type: 'token.refused',
    says: /not allowed.*latchkey client update \S+ --ciba poll$/,
  },
  'a DPoP proof that is none': {
    make: ({ app, service }) =>
      post(`${app.issuer}/token`, { grant_type: 'client_credentials' }, { ...basic(service), dpop: CANARY }),
    type: 'token.refused',
    says: /DPoP proof does not hold.*RFC 9449/,
  },
  'tokens asked for by GET': {
    make: ({ app }) => send(`${app.issuer}/token?code=${CANARY}`),
    type: 'token.refused',
    says: /not for this method.*RFC 9110/,
  },
  'tokens asked for in JSON': {
    make: sending('/token', JSON.stringify({ code: CANARY }), 'application/json'),
    type: 'token.refused',
    says: /of another kind.*RFC 6749 §3\.2/,
  },
  'a body that is too large': {
    make: posting('/token', { code: CANARY.repeat(6_000) }),
    type: 'token.refused',
    says: /larger than.*malformed.*nothing to mend/,
  },
  'a body that is packed': {
    make: sending('/token', CANARY, FORM, { 'content-encoding': 'gzip' }),
    type: 'token.refused',
    says: /packed.*malformed/,
  },
  'an address that is made to keep whoever looks for secrets in it busy': {
    make: posting('/token', { client_id: 'nobody', redirect_uri: `https://a.example/?${';token'.repeat(5_000)}` }),
    type: 'token.refused',
    says: /client not found/,
  },
}
