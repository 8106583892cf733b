// Mistakes that applications, people and strangers make, each of which is refused: what a browser asks for.
import { expect } from 'vitest'
import { REDIRECT_URI } from './app.ts'
import { asked, openRequest } from './backchannel.ts'
import { OUT, type ExplainScene } from './explain.ts'
import { CANARY, type Mistake } from './mistakes.ts'
import { authorizeUrl, post, query, send, tokensFor } from './protocol.ts'
import { signIn } from './relying-party.ts'

type Fields = Readonly<Record<string, string | undefined>>

const asking =
  (changes: Fields): Mistake['make'] =>
  ({ app, web, browser }) =>
    browser.open(authorizeUrl(app, web, changes))

const consenting = async ({ app, web, stranger }: ExplainScene, decision: Readonly<Record<string, string>>) => {
  const browser = stranger()
  return browser.submit(
    await signIn(browser, await browser.open(authorizeUrl(app, web, { prompt: 'consent' }))),
    decision,
  )
}

const signingIn = async ({ app, web, stranger }: ExplainScene, name: string, password: string) => {
  const browser = stranger()
  return signIn(browser, await browser.open(authorizeUrl(app, web)), name, password)
}

const signingOut = ({ app, browser }: ExplainScene, fields: Fields) =>
  browser.open(`${app.issuer}/logout?${query(fields)}`)

const typing = async ({ app, stranger }: ExplainScene, fields: Readonly<Record<string, string>>) => {
  const browser = stranger()
  return browser.submit(await browser.open(`${app.issuer}/device`), fields)
}

export const PAGE_MISTAKES: Readonly<Record<string, Mistake>> = {
  'a redirect URI with a slash too many': {
    make: asking({ redirect_uri: `${REDIRECT_URI}/` }),
    type: 'authorization.refused',
    says: /redirect_uri did not match.*same in every character.*RFC 9700 §2\.1.*latchkey client update \S+ --redirect-uri http:\/\/localhost:9\/callback --redirect-uri http:\/\/localhost:9\/callback\/$/,
    more: { facts: { received: { redirect_uri: `${REDIRECT_URI}/` } } },
  },
  'a redirect URI that a shell would run': {
    make: asking({ redirect_uri: "https://a.example/$(id)'" }),
    type: 'authorization.refused',
    says: /--redirect-uri 'https:\/\/a\.example\/\$\(id\)'\\'''$/,
  },
  'no redirect URI': {
    make: asking({ redirect_uri: undefined }),
    type: 'authorization.refused',
    says: /'redirect_uri'.*is missing.*RFC 6749 §3\.1\.1.*nothing to mend/,
  },
  'a request that is posted': {
    make: ({ app, web, browser }) => {
      const { searchParams } = new URL(authorizeUrl(app, web, { redirect_uri: 'https://evil.example/cb' }))
      return browser
        .request(`${app.issuer}/authorize`, { method: 'POST', body: searchParams })
        .then(({ headers }) => browser.open(`${app.issuer}/authorize${headers.get('location')}`))
    },
    type: 'authorization.refused',
    says: /redirect_uri did not match/,
  },
  'a parameter that nobody can read': {
    make: asking({ state: `${CANARY}\0` }),
    type: 'authorization.refused',
    says: /control character.*malformed.*RFC 6749 §3\.1.*nothing to mend/,
  },
  'a parameter twice': {
    make: ({ app, web, browser }) => browser.open(`${authorizeUrl(app, web)}&scope=openid`),
    type: 'authorization.refused',
    says: /more than once.*RFC 6749 §3\.1.*nothing to mend/,
  },
  'no PKCE': {
    make: ({ app, spa, browser }) =>
      browser.open(authorizeUrl(app, spa, { code_challenge: undefined, code_challenge_method: undefined })),
    type: 'authorization.refused',
    says: /PKCE.*has to send a code_challenge.*RFC 7636/,
  },
  'plain PKCE': {
    make: asking({ code_challenge_method: 'plain' }),
    type: 'authorization.refused',
    says: /code_challenge_method is S256.*RFC 7636 §4\.2/,
  },
  'an unknown client': {
    make: asking({ client_id: 'nobody' }),
    type: 'authorization.refused',
    says: /client not found.*No application is registered.*RFC 6749.*latchkey client list$/,
    more: { client_id: null, facts: { received: { client_id: 'nobody' } } },
  },
  'a disabled client': {
    make: ({ app, disabled, browser }) => browser.open(authorizeUrl(app, disabled)),
    type: 'authorization.refused',
    says: /A disabled one counts as none.*latchkey client enable \S+$/,
  },
  'a scope that is not allowed': {
    make: asking({ scope: 'openid phone' }),
    type: 'authorization.refused',
    says: /asked for a scope.*RFC 6749 §3\.3.*client update \S+ --scope 'openid profile email offline_access phone'$/,
  },
  'a kind of answer that is not registered': {
    make: asking({ response_type: 'id_token' }),
    type: 'authorization.refused',
    says: /kind of answer.*unauthorized_client.*latchkey client update \S+ --metadata FILE\.json$/,
  },
  'a response mode that there is not': {
    make: asking({ response_mode: 'carrier_pigeon' }),
    type: 'authorization.refused',
    says: /response_mode.*does not take.*Core 1\.0 §3\.1\.2\.1.*nothing to mend/,
  },
  'prompts that exclude each other': {
    make: asking({ prompt: 'none login' }),
    type: 'authorization.refused',
    says: /used alone.*does not take.*Core 1\.0 §3\.1\.2\.1/,
  },
  'claims that are no JSON': {
    make: asking({ claims: `{"${CANARY}` }),
    type: 'authorization.refused',
    says: /claims parameter JSON.*does not take/,
  },
  'a hint that is no ID token': {
    make: asking({ id_token_hint: CANARY }),
    type: 'authorization.refused',
    says: /does not take.*Core 1\.0 §3\.1\.2\.1/,
  },
  'a class of sign-in that nobody reaches': {
    make: asking({ claims: '{"id_token":{"acr":{"essential":true,"value":"phr"}}}' }),
    type: 'authorization.refused',
    says: /classes can be met.*unmet_authentication_requirements/,
  },
  'an address instead of the request, which the library says nothing about': {
    make: asking({ request_uri: `https://app.example/${CANARY}` }),
    type: 'authorization.refused',
    says: /request_uri_not_supported.*RFC 9101.*latchkey client update \S+ --metadata FILE\.json$/,
  },
  'a request that was never pushed': {
    make: asking({ request_uri: `urn:ietf:params:oauth:request_uri:${CANARY}` }),
    type: 'authorization.refused',
    says: /not one that was pushed here.*RFC 9126/,
  },
  'a request object that is none': {
    make: asking({ request: CANARY }),
    type: 'authorization.refused',
    says: /request object.*RFC 9101/,
  },
  'authorization details of no API': {
    make: asking({ authorization_details: '[{"type":"payment"}]' }),
    type: 'authorization.refused',
    says: /authorization_details.*RFC 9396 §5.*latchkey api list$/,
  },
  'an API that there is not': {
    make: asking({ resource: 'https://api.example' }),
    type: 'authorization.refused',
    says: /no API.*RFC 8707.*latchkey api list$/,
  },
  'a silent request of nobody': {
    make: ({ app, web, stranger }) => stranger().open(authorizeUrl(app, web, { prompt: 'none' })),
    type: 'authorization.refused',
    says: /prompt=none.*OpenID Connect Core.*nothing to mend/,
    more: { actor: 'unknown', facts: { error: 'login_required' } },
  },
  'a silent request for what nobody allowed': {
    make: ({ app, spa, browser }) => browser.open(authorizeUrl(app, spa, { prompt: 'none' })),
    type: 'authorization.refused',
    says: /prompt=none/,
    more: { actor: 'person', facts: { error: 'consent_required' } },
  },
  'a person who turns back': {
    make: async ({ app, web, stranger }) => {
      const browser = stranger()
      return browser.submit(await browser.open(authorizeUrl(app, web)), { cancel: 'yes' })
    },
    type: 'authorization.refused',
    says: /turned back.*RFC 6749 §4\.1\.2\.1.*nothing to mend/,
    more: { actor: 'unknown' },
  },
  'a person who does not allow it': {
    make: (scene) => consenting(scene, { decision: 'deny' }),
    type: 'authorization.refused',
    says: /did not allow.*RFC 6749 §4\.1\.2\.1/,
    more: { actor: 'person' },
  },
  'a consent that comes from another page': {
    make: (scene) => consenting(scene, { decision: 'allow', csrf: CANARY }),
    type: 'sign_in.refused',
    says: /another page.*belongs to.*ASVS.*nothing to mend/,
    more: { account_id: expect.stringMatching(/-/), client_id: expect.any(String) },
  },
  'an app that is not assigned': {
    make: ({ app, closed, browser }) => browser.open(authorizeUrl(app, closed)),
    type: 'sign_in.refused',
    says: /not assigned.*open to groups.*assignment.*latchkey group add staff [\w-]{36}$/,
  },
  'a sign-in that is over': {
    make: ({ app, stranger }) => stranger().open(`${app.issuer}/interaction/${CANARY}`),
    type: 'sign_in.refused',
    says: /expired.*begun in another browser/,
  },
  'an answer to a sign-in that is over': {
    make: ({ app, browser }) => browser.open(`${app.issuer}/authorize/${CANARY}`),
    type: 'authorization.refused',
    says: /expired.*begun in another browser/,
  },
  'a form from another site': {
    make: ({ app }) =>
      post(`${app.issuer}/interaction/x/password`, { password: CANARY }, { origin: 'https://evil.example' }),
    type: 'sign_in.refused',
    says: /another site.*belongs to.*ASVS/,
  },
  'a wrong password': {
    make: (scene) => signingIn(scene, 'ada', CANARY),
    type: 'sign_in.refused',
    says: /password was wrong.*ASVS.*latchkey user set-password [\w-]{36}$/,
    more: { account_id: expect.stringMatching(/-/), facts: {} },
  },
  'a name that nobody has, which may be a password': {
    make: (scene) => signingIn(scene, CANARY, CANARY),
    type: 'sign_in.refused',
    says: /password was wrong.*latchkey user list$/,
    more: { account_id: null, facts: { name_digest: expect.stringMatching(/^[\w-]{43}$/) } },
  },
  'a sign-out to an address that is not registered': {
    make: (scene) => signingOut(scene, { client_id: scene.web.client.id, post_logout_redirect_uri: `${OUT}?x` }),
    type: 'logout.refused',
    says: /post_logout_redirect_uri has to be one.*RP-Initiated Logout 1\.0 §3.*latchkey client update \S+ --post-logout-redirect-uri https:\/\/app\.example\/out --post-logout-redirect-uri 'https:\/\/app\.example\/out\?x'$/,
  },
  'a sign-out with a hint that is none': {
    make: (scene) => signingOut(scene, { id_token_hint: CANARY }),
    type: 'logout.refused',
    says: /id_token_hint has to be.*RP-Initiated Logout 1\.0 §2/,
  },
  'a sign-out with the hint of another client': {
    make: async (scene) => {
      const { idToken } = await tokensFor(scene.app, scene.web, {}, scene.browser)
      return signingOut(scene, { client_id: scene.spa.client.id, id_token_hint: idToken })
    },
    type: 'logout.refused',
    says: /does not match.*id_token_hint has to be/,
  },
  'a sign-out of an unknown client': {
    make: (scene) => signingOut(scene, { client_id: 'nobody' }),
    type: 'logout.refused',
    says: /client not found.*latchkey client list$/,
  },
  'a sign-out from another page': {
    make: ({ app, browser }) => {
      const body = new URLSearchParams({ xsrf: CANARY, logout: 'yes' })
      return browser.request(`${app.issuer}/logout/confirm`, { method: 'POST', body })
    },
    type: 'logout.refused',
    says: /belongs to.*ASVS/,
  },
  'a code that no device shows': {
    make: (scene) => typing(scene, { user_code: 'BBBB-BBBB' }),
    type: 'device.refused',
    says: /unknown.*no code of a device.*RFC 8628 §3\.3/,
  },
  'a code of a device from another page': {
    make: (scene) => typing(scene, { user_code: 'BBBB-BBBB', xsrf: CANARY }),
    type: 'device.refused',
    says: /belongs to.*ASVS/,
  },
  'an approval of nothing': {
    make: ({ app, browser }) => browser.open(`${app.issuer}/approvals/${CANARY}`),
    type: 'approval.refused',
    says: /not for you.*waits for an answer.*CIBA/,
  },
  'an approval from another page': {
    make: async ({ app, till, browser }) => {
      const page = await openRequest(app, browser, await asked(app, till))
      return browser.submit(page, { decision: 'approve', csrf: CANARY })
    },
    type: 'approval.refused',
    says: /another page.*belongs to.*ASVS/,
  },
  'a page that there is not': {
    make: ({ app }) => send(`${app.issuer}/authorize`, { method: 'PUT' }),
    type: 'authorization.refused',
    says: /status 404.*not for this method.*RFC 9110.*nothing to mend/,
  },
}
