// Mistakes at the other endpoints that programs call, each of which is refused.
import { expect } from 'vitest'
import { askFor } from './backchannel.ts'
import { asWeb, CANARY, posting, sending, withWrongSecret, type Mistake } from './mistakes.ts'
import { basic, bearer, post, send, userinfo } from './protocol.ts'
import { itselfIn, registering, type Registered } from './registration.ts'

type Make = Mistake['make']

const REDIRECT_URIS = { redirect_uris: ['https://app.example/cb'] }

/** With software that has just registered itself. */
const managing =
  (act: (as: ReturnType<typeof registering>, itself: Registered) => ReturnType<Make>): Make =>
  async ({ app, register }) =>
    act(
      registering(() => app.issuer),
      itselfIn((await register(REDIRECT_URIS)).json),
    )

export const ENDPOINT_MISTAKES: Readonly<Record<string, Mistake>> = {
  'a pushed request with a wrong address': {
    make: ({ app, web }) =>
      post(
        `${app.issuer}/par`,
        { client_id: web.client.id, response_type: 'code', redirect_uri: 'https://evil.example/' },
        basic(web),
      ),
    type: 'pushed_request.refused',
    says: /redirect_uri did not match.*same in every character.*RFC 9700.*--redirect-uri https:\/\/evil\.example\/$/,
  },
  'a pushed request by nobody': {
    make: posting('/par', { response_type: 'code' }, withWrongSecret),
    type: 'pushed_request.refused',
    says: /secret is wrong/,
  },
  'a pushed request without its client': {
    make: posting('/par', { response_type: 'code' }, asWeb),
    type: 'pushed_request.refused',
    says: /'client_id'.*is missing/,
  },
  'a question about a token by nobody': {
    make: posting('/introspect', { token: CANARY }, withWrongSecret),
    type: 'introspection.refused',
    says: /secret is wrong/,
  },
  'a question about nothing': {
    make: posting('/introspect', { token_type_hint: 'access_token' }, asWeb),
    type: 'introspection.refused',
    says: /'token'.*is missing/,
  },
  'a revocation of nothing': {
    make: posting('/revoke', { token_type_hint: 'refresh_token' }, asWeb),
    type: 'revocation.refused',
    says: /'token'.*is missing/,
  },
  'a revocation by nobody': {
    make: posting('/revoke', { token: CANARY }),
    type: 'revocation.refused',
    says: /said who it is in no way/,
  },
  'numbers with a token that is none': {
    make: ({ app }) => send(`${app.issuer}/metrics`, { headers: bearer(CANARY) }),
    type: 'metrics.refused',
    says: /METRICS_TOKEN is wrong.*only to who sends.*RFC 6750.*nothing to mend/,
  },
  'userinfo without a token': {
    make: ({ app }) => send(`${app.issuer}/userinfo`),
    type: 'userinfo.refused',
    says: /no access token.*RFC 6750 §3\.1/,
  },
  'an unknown access token': {
    make: ({ app }) => userinfo(app, CANARY),
    type: 'userinfo.refused',
    says: /access token not found.*is unknown.*RFC 6750.*nothing to mend/,
  },
  'an access token in the address': {
    make: ({ app }) => send(`${app.issuer}/userinfo?access_token=${CANARY}`),
    type: 'userinfo.refused',
    says: /query parameter.*came in no way.*RFC 6750 §2/,
  },
  'a registration without a token': {
    make: ({ app }) => registering(() => app.issuer).register(REDIRECT_URIS),
    type: 'registration.refused',
    says: /no access token.*initial access token.*RFC 7591 §3.*latchkey registration-token create$/,
  },
  'a registration with a token that is none': {
    make: ({ app }) => registering(() => app.issuer).register(REDIRECT_URIS, CANARY),
    type: 'registration.refused',
    says: /initial access token not found.*latchkey registration-token create$/,
  },
  'an address in the metadata that is none': {
    make: ({ register }) => register({ redirect_uris: ['javascript:1'], client_secret: CANARY }),
    type: 'registration.refused',
    says: /javascript:.*redirect URI in the metadata.*RFC 7591 §3\.2\.2/,
    more: { facts: { received: { redirect_uris: ['javascript:1'] } } },
  },
  'an address with a password in it, which the answer quotes': {
    make: ({ register }) => register({ redirect_uris: [`https://ada:${CANARY}@app.example/cb?api_key=${CANARY}#x`] }),
    type: 'registration.refused',
    says: /\[hidden\]@app\.example/,
  },
  'a grant in the metadata that there is not': {
    make: ({ register }) => register({ ...REDIRECT_URIS, grant_types: ['password'] }),
    type: 'registration.refused',
    says: /grant_types.*member of the metadata.*RFC 7591 §2/,
  },
  'metadata that cannot be parsed': {
    make: sending('/register', `{"x":${CANARY}}`, 'application/json'),
    type: 'registration.refused',
    says: /failed to parse.*member of the metadata/,
  },
  'metadata as a form': {
    make: posting('/register', { client_secret: CANARY }),
    type: 'registration.refused',
    says: /of another kind.*RFC 7591 §3\.1/,
  },
  'the record of a client without its token': {
    make: ({ app, web }) => send(`${app.issuer}/register/${web.client.id}`, { headers: bearer(CANARY) }),
    type: 'registration.refused',
    says: /registration access token not found.*RFC 7592 §2.*latchkey client update \S+$/,
    more: { facts: { received: { client_id: expect.any(String) } } },
  },
  'a change of a record with what is refused': {
    make: managing((as, itself) => as.change(itself, { redirect_uris: ['javascript:1'] })),
    type: 'registration.refused',
    says: /redirect URI in the metadata/,
    more: { actor: 'client', client_id: expect.any(String) },
  },
  'a change of a record without its token': {
    make: managing((as, itself) => as.change({ ...itself, manager: CANARY }, REDIRECT_URIS)),
    type: 'registration.refused',
    says: /registration access token not found.*RFC 7592 §2/,
  },
  'a removal of a record without its token': {
    make: managing((as, itself) => as.remove({ ...itself, manager: CANARY })),
    type: 'registration.refused',
    says: /registration access token not found.*RFC 7592 §2/,
  },
  'a device of an unknown client': {
    make: posting('/device_authorization', { client_id: 'nobody' }),
    type: 'device.refused',
    says: /client not found.*latchkey client list$/,
  },
  'a device of a client without the flow': {
    make: posting('/device_authorization', { scope: 'openid' }, asWeb),
    type: 'device.refused',
    says: /not allowed for this client.*latchkey client update \S+ --device-flow$/,
  },
  'an authentication request of a client without the flow': {
    make: ({ app, web }) => askFor(app, web),
    type: 'backchannel_authentication.refused',
    says: /not allowed for this client.*latchkey client update \S+ --ciba poll$/,
  },
  'an authentication request of nobody': {
    make: ({ app, till }) => askFor(app, { ...till, secret: CANARY }),
    type: 'backchannel_authentication.refused',
    says: /secret is wrong/,
  },
  'an authentication request for nobody': {
    make: ({ app, till }) => askFor(app, till, { login_hint: CANARY }),
    type: 'backchannel_authentication.refused',
    says: /means nobody.*CIBA Core 1\.0 §13.*latchkey user list$/,
  },
  'an authentication request without a hint': {
    make: ({ app, till }) => askFor(app, till, { login_hint: undefined }),
    type: 'backchannel_authentication.refused',
    says: /login_hint.*is missing/,
  },
  'an authentication request with a message that is too long': {
    make: ({ app, till }) => askFor(app, till, { binding_message: 'x'.repeat(65) }),
    type: 'backchannel_authentication.refused',
    says: /binding_message.*not taken.*CIBA Core 1\.0 §7\.1/,
  },
}
