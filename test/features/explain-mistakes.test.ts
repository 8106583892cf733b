// The mistakes that developers make, made at a real server, and what latchkey explain says of each.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REDIRECT_URI } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { explainScene, OUT, toldId, type ExplainScene } from '../support/explain.ts'
import {
  authorizeUrl,
  bearer,
  codeFor,
  post,
  query,
  redeem,
  refresh,
  send,
  token,
  userinfo,
} from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

interface Mistake {
  readonly make: (scene: ExplainScene) => Promise<{ readonly headers: Headers }>
  readonly sentence: RegExp
  readonly source: RegExp
  readonly command?: (scene: ExplainScene) => string | RegExp
}

const CANARY = 'canary-7Qx'
const json = { 'content-type': 'application/json' }

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'a redirect URI with a slash too many': {
    make: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { redirect_uri: `${REDIRECT_URI}/` })),
    sentence: /redirect_uri of the request has to be one that is registered/,
    source: /RFC 9700 §2\.1/,
    command: ({ web }) =>
      `latchkey client update ${web.client.id} --redirect-uri ${REDIRECT_URI} --redirect-uri ${REDIRECT_URI}/`,
  },
  'a redirect URI that a shell would run': {
    make: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { redirect_uri: "https://a.example/$(id)'" })),
    sentence: /redirect_uri/,
    source: /RFC 9700/,
    command: () => String.raw`--redirect-uri 'https://a.example/$(id)'\'''`,
  },
  'no PKCE': {
    make: ({ app, spa, browser }) =>
      browser.open(authorizeUrl(app, spa, { code_challenge: undefined, code_challenge_method: undefined })),
    sentence: /has to send a code_challenge/,
    source: /RFC 7636/,
  },
  'plain PKCE': {
    make: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { code_challenge_method: 'plain' })),
    sentence: /code_challenge_method is S256/,
    source: /RFC 7636 §4\.2/,
  },
  'an unknown client': {
    make: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { client_id: 'nobody' })),
    sentence: /No application is registered/,
    source: /RFC 6749/,
    command: () => 'latchkey client list',
  },
  'a disabled client': {
    make: ({ app, disabled, browser }) => browser.open(authorizeUrl(app, disabled)),
    sentence: /A disabled one counts as none/,
    source: /RFC 6749/,
    command: ({ disabled }) => `latchkey client enable ${disabled.client.id}`,
  },
  'a scope that is not allowed': {
    make: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { scope: 'openid phone' })),
    sentence: /asked for a scope/,
    source: /RFC 6749 §3\.3/,
    command: ({ web }) => `latchkey client update ${web.client.id} --scope 'openid profile email offline_access phone'`,
  },
  'a kind of answer that is not registered': {
    make: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { response_type: 'id_token' })),
    sentence: /kind of answer/,
    source: /unauthorized_client/,
  },
  'a silent request of nobody': {
    make: ({ app, web }) => browserSession(app.issuer).open(authorizeUrl(app, web, { prompt: 'none' })),
    sentence: /prompt=none/,
    source: /OpenID Connect Core/,
  },
  'an app that is not assigned': {
    make: ({ app, closed, browser }) => browser.open(authorizeUrl(app, closed)),
    sentence: /open to groups/,
    source: /assignment/,
    command: () => /^latchkey group add staff [\w-]{36}$/,
  },
  'a wrong password': {
    make: async ({ app, web }) => {
      const stranger = browserSession(app.issuer)
      return signIn(stranger, await stranger.open(authorizeUrl(app, web)), 'ada', CANARY)
    },
    sentence: /password was wrong/,
    source: /ASVS/,
    command: () => /^latchkey user set-password [\w-]{36}$/,
  },
  'a wrong client secret': {
    make: ({ app, web }) => token(app, { ...web, secret: CANARY }, { grant_type: 'authorization_code', code: CANARY }),
    sentence: /client secret is wrong/,
    source: /RFC 6749 §2\.3\.1/,
    command: ({ web }) => `latchkey client rotate-secret ${web.client.id} --overlap 86400`,
  },
  'no client authentication': {
    make: ({ app, web }) =>
      post(`${app.issuer}/token`, { grant_type: 'authorization_code', client_id: web.client.id, code: CANARY }),
    sentence: /in another way/,
    source: /token_endpoint_auth_method/,
  },
  'an unknown code': {
    make: ({ app, web }) => redeem(app, web, CANARY),
    sentence: /code is not known here any more/,
    source: /RFC 6749 §4\.1\.2/,
  },
  'a code twice': {
    make: async ({ app, web, browser }) => {
      const code = await codeFor(app, web, {}, browser)
      await redeem(app, web, code)
      return redeem(app, web, code)
    },
    sentence: /used a second time/,
    source: /RFC 9700 §4\.14\.2/,
  },
  'another redirect URI at the token endpoint': {
    make: async ({ app, web, browser }) =>
      redeem(app, web, await codeFor(app, web, {}, browser), { redirect_uri: 'http://localhost:9/other' }),
    sentence: /redirect_uri at \/token/,
    source: /RFC 6749 §4\.1\.3/,
  },
  'another verifier': {
    make: async ({ app, web, browser }) =>
      redeem(app, web, await codeFor(app, web, {}, browser), { code_verifier: `${CANARY}${'x'.repeat(43)}` }),
    sentence: /code_verifier does not belong/,
    source: /RFC 7636 §4\.5/,
  },
  'a code of another client': {
    make: async ({ app, web, spa, browser }) => redeem(app, spa, await codeFor(app, web, {}, browser)),
    sentence: /another application/,
    source: /RFC 6749/,
  },
  'an unknown refresh token': {
    make: ({ app, web }) => refresh(app, web, CANARY),
    sentence: /refresh token is not known/,
    source: /RFC 6749 §6/,
  },
  'tokens for itself': {
    make: ({ app, web }) => token(app, web, { grant_type: 'client_credentials' }),
    sentence: /not registered for/,
    source: /unauthorized_client/,
    command: () => 'latchkey client create --type service --name NAME',
  },
  'an unknown grant type': {
    make: ({ app, web }) => token(app, web, { grant_type: 'password', password: CANARY }),
    sentence: /not served/,
    source: /unsupported_grant_type/,
  },
  'an API that there is not': {
    make: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { resource: 'https://api.example' })),
    sentence: /no API/,
    source: /RFC 8707/,
    command: () => 'latchkey api list',
  },
  'a DPoP proof that is none': {
    make: async ({ app, web }) =>
      post(
        `${app.issuer}/token`,
        { grant_type: 'refresh_token', refresh_token: CANARY, client_id: web.client.id, client_secret: web.secret },
        { dpop: CANARY },
      ),
    sentence: /DPoP proof does not hold|refresh token is not known/,
    source: /RFC/,
  },
  'a sign-out to an address that is not registered': {
    make: ({ app, web, browser }) =>
      browser.open(`${app.issuer}/logout?${query({ client_id: web.client.id, post_logout_redirect_uri: `${OUT}?x` })}`),
    sentence: /post_logout_redirect_uri has to be one/,
    source: /RP-Initiated Logout 1\.0 §3/,
    command: ({ web }) =>
      `latchkey client update ${web.client.id} --post-logout-redirect-uri ${OUT} --post-logout-redirect-uri '${OUT}?x'`,
  },
  'a hint that is none': {
    make: ({ app, browser }) => browser.open(`${app.issuer}/logout?${query({ id_token_hint: CANARY })}`),
    sentence: /id_token_hint has to be/,
    source: /RP-Initiated Logout 1\.0 §2/,
  },
  'metadata that is refused': {
    make: async ({ app }) => {
      const { value } = await app.services.registrationTokens.create({})
      const body = JSON.stringify({ redirect_uris: ['javascript:1'] })
      return send(`${app.issuer}/register`, { method: 'POST', headers: { ...json, ...bearer(value) }, body })
    },
    sentence: /redirect URI in the metadata/,
    source: /RFC 7591 §3\.2\.2/,
  },
  'a registration without a token': {
    make: ({ app }) =>
      send(`${app.issuer}/register`, { method: 'POST', headers: { ...json, ...bearer(CANARY) }, body: '{}' }),
    sentence: /needs a token that holds/,
    source: /RFC 7591 §3/,
    command: () => 'latchkey registration-token create',
  },
  'tokens asked for by GET': {
    make: ({ app }) => send(`${app.issuer}/token?code=${CANARY}`),
    sentence: /not for this method/,
    source: /RFC 9110/,
  },
  'an unknown access token': {
    make: ({ app }) => userinfo(app, CANARY),
    sentence: /access token is unknown/,
    source: /RFC 6750/,
  },
}

// what it says hangs on no database; that it finds what it needs on both is shown in explain.test.ts
describe.each(databases.slice(0, 1))('on $name, explain', (database) => {
  let scene: ExplainScene

  beforeAll(async () => void (scene = await explainScene(database)))
  afterAll(() => scene.app.close())

  test.each(Object.entries(MISTAKES))('knows %s', async (_, { make, sentence, source, command }) => {
    const answered = await make(scene)
    const id = toldId(answered)
    const { exit, stdout, stderr } = await scene.explain(id, '--json')
    expect(exit, stderr).toBe(0)
    const explained = JSON.parse(stdout) as {
      rule: { sentence: string; source: string }
      remedy: { command?: string } | null
    }
    expect(explained).toMatchObject({ error_id: id })
    expect(explained.rule.sentence).toMatch(sentence)
    expect(explained.rule.source).toMatch(source)
    const expected = command?.(scene)
    if (typeof expected === 'string') expect(explained.remedy?.command).toContain(expected)
    else if (expected) expect(explained.remedy?.command).toMatch(expected)
    else expect(explained.remedy?.command).toBeUndefined()
    const text = (await scene.explain(id)).stdout
    expect(text).toContain(explained.rule.sentence)
    for (const secret of [CANARY, scene.web.secret ?? '']) expect(stdout + text).not.toContain(secret)
  })
})
