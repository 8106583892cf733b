// Each refusal leaves one row in the audit, with the id that the client was told and the rule that refused, and no secret.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditJson, type AuditEntry } from '#core/audit/event.ts'
import {
  createClient,
  createPerson,
  PASSWORD,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { browserSession, type BrowserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import {
  authorizeUrl,
  basic,
  bearer,
  codeFor,
  post,
  query,
  redeem,
  refresh,
  send,
  token,
  tokensFor,
  userinfo,
} from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

/** Stands for every kind of secret; whatever it is sent as, it is nowhere in the audit. */
const CANARY = 'canary-7Qx'

interface Scene {
  readonly app: TestApp
  readonly web: RegisteredClient
  readonly spa: RegisteredClient
  readonly closed: RegisteredClient
  readonly browser: BrowserSession
  readonly stranger: BrowserSession
}

interface Answered {
  readonly headers: Headers
  readonly status: number
  readonly body: string
}

interface Case {
  readonly refuse: (scene: Scene) => Promise<Answered>
  readonly type: string
  readonly rule: string | RegExp
  readonly more?: Readonly<Record<string, unknown>>
}

const register = ({ issuer }: TestApp, body: string): Promise<Answered> =>
  send(`${issuer}/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })

const TABLE: Readonly<Record<string, Case>> = {
  'a parameter that nobody can read': {
    refuse: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { state: `${CANARY}\0` })),
    type: 'authorization.refused',
    rule: /control character|NUL/,
  },
  'an address that is not registered': {
    refuse: ({ app, web, browser }) =>
      browser.open(authorizeUrl(app, web, { redirect_uri: 'https://evil.example/cb' })),
    type: 'authorization.refused',
    rule: /redirect_uri did not match/,
    more: {
      facts: expect.objectContaining({
        received: expect.objectContaining({ redirect_uri: 'https://evil.example/cb' }),
      }),
    },
  },
  'an address that is long, and made to keep whoever looks for secrets in it busy': {
    refuse: ({ app }) =>
      post(`${app.issuer}/token`, {
        client_id: 'nobody',
        redirect_uri: `https://a.example/?${';token'.repeat(5_000)}`,
      }),
    type: 'token.refused',
    rule: /./,
  },
  'a client that is unknown': {
    refuse: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { client_id: 'nobody' })),
    type: 'authorization.refused',
    rule: 'client not found',
    more: { client_id: null },
  },
  'a scope that is not allowed': {
    refuse: ({ app, web, browser }) => browser.open(authorizeUrl(app, web, { scope: 'openid phone' })),
    type: 'authorization.refused',
    rule: /scope/,
  },
  'a public client without PKCE': {
    refuse: ({ app, spa, browser }) =>
      browser.open(authorizeUrl(app, spa, { code_challenge: undefined, code_challenge_method: undefined })),
    type: 'authorization.refused',
    rule: /PKCE/,
  },
  'a silent request of nobody': {
    refuse: ({ app, web, stranger }) => stranger.open(authorizeUrl(app, web, { prompt: 'none' })),
    type: 'authorization.refused',
    rule: /./,
    more: { facts: expect.objectContaining({ error: 'login_required' }) },
  },
  'a wrong password': {
    refuse: async ({ app, web, stranger }) =>
      signIn(stranger, await stranger.open(authorizeUrl(app, web)), 'ada', CANARY),
    type: 'sign_in.refused',
    rule: 'the password or the name is wrong',
    more: { user: expect.stringMatching(/-/), facts: {} },
  },
  'a name that nobody has, which may be a password': {
    refuse: async ({ app, web, stranger }) =>
      signIn(stranger, await stranger.open(authorizeUrl(app, web)), CANARY, CANARY),
    type: 'sign_in.refused',
    rule: 'the password or the name is wrong',
    more: { user: null, facts: { name_digest: expect.stringMatching(/^[\w-]{43}$/) } },
  },
  'an app that is not assigned': {
    refuse: ({ app, closed, browser }) => browser.open(authorizeUrl(app, closed)),
    type: 'sign_in.refused',
    rule: 'the app is not assigned to this person',
  },
  'a sign-in that is not there': {
    refuse: ({ app, stranger }) => stranger.open(`${app.issuer}/interaction/${CANARY}`),
    type: 'sign_in.refused',
    rule: /expired/,
  },
  'a form from another site': {
    refuse: ({ app }) =>
      post(`${app.issuer}/interaction/x/password`, { password: CANARY }, { origin: 'https://evil.example' }),
    type: 'sign_in.refused',
    rule: 'The request came from another site.',
  },
  'a client secret that is wrong': {
    refuse: ({ app, web }) =>
      token(app, { ...web, secret: CANARY }, { grant_type: 'authorization_code', code: CANARY }),
    type: 'token.refused',
    rule: /invalid secret|authentication failed/,
    more: { actor: 'unknown' },
  },
  'a code that is unknown': {
    refuse: ({ app, web }) => redeem(app, web, CANARY),
    type: 'token.refused',
    rule: 'authorization code not found',
    more: { actor: 'client' },
  },
  'a verifier that is wrong': {
    refuse: async ({ app, web, browser }) =>
      redeem(app, web, await codeFor(app, web, {}, browser), { code_verifier: `${CANARY}${'x'.repeat(43)}` }),
    type: 'token.refused',
    rule: /code_verifier/,
  },
  'a refresh token that is unknown': {
    refuse: ({ app, web }) => refresh(app, web, CANARY),
    type: 'token.refused',
    rule: 'refresh token not found',
  },
  'a code that is used twice, with its family': {
    refuse: async ({ app, web, browser }) => {
      const code = await codeFor(app, web, {}, browser)
      await redeem(app, web, code)
      return redeem(app, web, code)
    },
    type: 'token_family.reuse_detected',
    rule: /already (consumed|used)/,
    more: { user: expect.any(String), client_id: expect.any(String) },
  },
  'an access token that is unknown': {
    refuse: ({ app }) => userinfo(app, CANARY),
    type: 'userinfo.refused',
    rule: /token/,
  },
  'a question about a token by nobody': {
    refuse: ({ app, web }) => post(`${app.issuer}/introspect`, { token: CANARY }, basic({ ...web, secret: CANARY })),
    type: 'introspection.refused',
    rule: /./,
  },
  'a revocation of nothing': {
    refuse: ({ app, web }) => post(`${app.issuer}/revoke`, { token_type_hint: 'x' }, basic(web)),
    type: 'revocation.refused',
    rule: /token/,
  },
  'a pushed request that is wrong': {
    refuse: ({ app, web }) => post(`${app.issuer}/par`, { redirect_uri: 'https://evil.example' }, basic(web)),
    type: 'pushed_request.refused',
    rule: /./,
  },
  'a sign-out to an address that is not registered': {
    refuse: ({ app, web, browser }) =>
      browser.open(
        `${app.issuer}/logout?${query({ client_id: web.client.id, post_logout_redirect_uri: 'https://evil.example' })}`,
      ),
    type: 'logout.refused',
    rule: /post_logout_redirect_uri/,
  },
  'a hint that is none': {
    refuse: ({ app, browser }) => browser.open(`${app.issuer}/logout?${query({ id_token_hint: CANARY })}`),
    type: 'logout.refused',
    rule: /./,
  },
  'metadata that is refused': {
    refuse: ({ app }) => register(app, JSON.stringify({ redirect_uris: ['javascript:1'], client_secret: CANARY })),
    type: 'registration.refused',
    rule: /./,
  },
  'an address with a password in it, which the answer quotes': {
    refuse: ({ app }) =>
      register(app, JSON.stringify({ redirect_uris: [`https://ada:${CANARY}@app.example/cb?api_key=${CANARY}#x`] })),
    type: 'registration.refused',
    rule: /\[hidden\]@app\.example/,
  },
  'a registration that cannot be parsed': {
    refuse: ({ app }) => register(app, `{"x":${CANARY}}`),
    type: 'registration.refused',
    rule: /./,
  },
  'the record of a client without its token': {
    refuse: ({ app, web }) => send(`${app.issuer}/register/${web.client.id}`, { headers: bearer(CANARY) }),
    type: 'registration.refused',
    rule: /./,
  },
  'a device that is unknown': {
    refuse: ({ app }) => post(`${app.issuer}/device_authorization`, { client_id: 'nobody' }),
    type: 'device.refused',
    rule: /./,
  },
  'an endpoint asked in the wrong way': {
    refuse: ({ app }) => send(`${app.issuer}/token?code=${CANARY}`),
    type: 'token.refused',
    rule: /status 40/,
  },
}

describe.each(databases)('on $name, the audit', (database) => {
  let scene: Scene

  beforeAll(async () => {
    const app = await startApp(database, { settings: { REGISTRATION: 'open' } })
    await createPerson(app.services)
    await app.services.groups.create('staff')
    const web = await createClient(app.services, {
      scope: 'openid profile email offline_access',
      post_logout_redirect_uris: [REDIRECT_URI],
    })
    const spa = await createClient(app.services, { type: 'spa' })
    const closed = await createClient(app.services, { assignment: 'groups', groups: ['staff'] })
    const browser = browserSession(app.issuer)
    await tokensFor(app, web, {}, browser)
    scene = { app, web, spa, closed, browser, stranger: browserSession(app.issuer) }
  })
  afterAll(() => scene.app.close())

  const entries = async ({ services }: TestApp): Promise<readonly AuditEntry[]> => {
    await services.audit.flush()
    return (await services.auditTrail.list({ limit: 500 })).items
  }

  test.each(Object.entries(TABLE))(
    'has one row of %s, with the id that was told',
    async (_, { refuse, type, rule, more = {} }) => {
      const before = new Set((await entries(scene.app)).map(({ id }) => id))
      const { headers, body, status } = await refuse(scene)
      expect(status).toBeLessThan(500)
      const id = headers.get('x-request-id')
      const location = headers.get('location')
      const fresh = (await entries(scene.app)).filter((entry) => !before.has(entry.id))
      const refused = fresh.filter((entry) => /refused|denied|detected/.test(entry.type)).map(auditJson)
      expect(refused).toHaveLength(1)
      expect(refused[0]).toMatchObject({ type, address: expect.stringMatching(/127\.0\.0\.1|::1/), ...more })
      expect(refused[0]?.rule).toMatch(rule)
      if (location === null) {
        expect(refused[0]?.request_id).toBe(id)
        expect(body).toContain(id)
      } else
        expect(new URL(location).searchParams.get('error_description')).toMatch(
          new RegExp(`\\(error id: ${refused[0]?.request_id}\\)$`),
        )
      if (body.startsWith('{')) expect(JSON.parse(body)).toMatchObject({ error_id: id })
      const text = JSON.stringify(fresh)
      for (const secret of [CANARY, PASSWORD, scene.web.secret ?? '']) expect(text).not.toContain(secret)
    },
  )

  test('is still whole after all of that', async () => {
    expect((await scene.app.services.auditTrail.verify()).problems).toEqual([])
  })
})
