// Claims that a client is given by its own settings, and the receipts of all that is given. The protocol library has no
// place for either: this file fails where a release of it no longer lets them through (src/oidc/claim-release.ts).
import { jwtVerify, createRemoteJWKSet } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, claimsIn, redeem, refresh, send, tokensFor, tokensIn, userinfo } from '../support/protocol.ts'
import { authorize, signIn } from '../support/relying-party.ts'

const RULES = [
  { claim: 'department', source: 'custom.department' },
  { claim: 'roles', source: 'groups' },
  { claim: 'https://example.com/groups', source: 'groups', scope: 'groups' },
  { claim: 'tenant', value: { name: 'acme', level: 2 } },
  { claim: 'user_id', source: 'sub' },
  { claim: 'cost_centre', source: 'custom.not_set' },
]
const GIVEN = { department: 'Finance', roles: ['staff'], tenant: { name: 'acme', level: 2 } }

describe.each(databases)('claims by a client’s settings on $name', (database) => {
  let app: TestApp
  let sub: string
  let full: RegisteredClient

  beforeAll(async () => {
    app = await startApp(database)
    await app.services.groups.create('staff')
    sub = (
      await createPerson(app.services, {
        groups: ['staff'],
        custom_claims: { department: 'Finance', secret: 'never mapped' },
      })
    ).id
    full = await createClient(app.services, { first_party: true, claims: RULES })
  })
  afterAll(() => app.close())

  const receiptsOf = async (client: RegisteredClient) => {
    await app.services.claimReceipts.flush()
    return (await app.services.claimReceipts.list({ client: client.client.id })).items
  }

  test('stand in the ID token, which is signed as ever, and at userinfo', async () => {
    const { idToken, accessToken } = await tokensFor(app, full, { scope: 'openid' })
    const keys = createRemoteJWKSet(new URL(`${app.issuer}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(idToken, keys, { issuer: app.issuer, audience: full.client.id })
    expect(payload).toMatchObject({ sub, nonce: 'a-nonce', ...GIVEN, user_id: sub })
    expect(payload).not.toHaveProperty('cost_centre')
    expect((await userinfo(app, accessToken)).json).toEqual({ sub, ...GIVEN, user_id: sub })
  })

  test('that hang on a scope are given where it was granted', async () => {
    const { idToken, accessToken } = await tokensFor(app, full, { scope: 'openid groups' })
    expect(claimsIn(idToken)).toMatchObject({ 'https://example.com/groups': ['staff'], groups: ['staff'] })
    expect((await userinfo(app, accessToken)).json).toHaveProperty(['https://example.com/groups'], ['staff'])
    expect(claimsIn((await tokensFor(app, full, { scope: 'openid' })).idToken)).not.toHaveProperty([
      'https://example.com/groups',
    ])
  })

  test('are given to no client whose settings do not name them, whatever it asks for', async () => {
    const other = await createClient(app.services, { first_party: true })
    const claims = JSON.stringify({
      id_token: { department: null, secret: null },
      userinfo: { department: { essential: true }, 'custom.secret': null, custom_claims: null },
    })
    const { idToken, accessToken } = await tokensFor(app, other, { scope: 'openid profile groups', claims })
    const both = [claimsIn(idToken), (await userinfo(app, accessToken)).json]
    for (const given of both) expect(JSON.stringify(given)).not.toMatch(/Finance|never mapped|custom/)
  })

  test('stand at userinfo only for a strict client, and in its ID token if it names them there', async () => {
    const strict = await createClient(app.services, { first_party: true, id_token_claims: 'strict', claims: RULES })
    const plain = await tokensFor(app, strict, { scope: 'openid' })
    for (const claim of Object.keys(GIVEN)) expect(claimsIn(plain.idToken)).not.toHaveProperty(claim)
    expect((await userinfo(app, plain.accessToken)).json).toMatchObject(GIVEN)
    const claims = JSON.stringify({ id_token: { department: null } })
    const named = claimsIn((await tokensFor(app, strict, { scope: 'openid', claims })).idToken)
    expect([named['department'], named['roles']]).toEqual(['Finance', undefined])
  })

  test('follow the settings and the person at once, in the tokens of a refresh too', async () => {
    const client = await createClient(app.services, { first_party: true, refresh_tokens: 'always' })
    const before = await tokensFor(app, client, { scope: 'openid' })
    expect(claimsIn(before.idToken)).not.toHaveProperty('dep')
    await app.services.clients.update(client.client.id, { claims: [{ claim: 'dep', source: 'custom.department' }] })
    const answer = await refresh(app, client, before.refreshToken)
    expect(claimsIn(tokensIn(answer).idToken)['dep']).toBe('Finance')
    await app.services.clients.update(client.client.id, { claims: [] })
    expect((await userinfo(app, tokensIn(answer).accessToken)).json).toEqual({ sub })
  })

  test('do not show up in discovery, where claims_supported is what every client may have', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json['claims_supported']).not.toContain('department')
  })

  describe('with consent', () => {
    test('are asked for by name, remembered, and asked for again when there are more', async () => {
      const client = await createClient(app.services, { claims: RULES })
      const browser = browserSession(app.issuer)
      const consent = await signIn(browser, await browser.open(authorizeUrl(app, client, { scope: 'openid' })))
      expect(consent.body).toContain('See further details about you')
      expect(consent.body).toContain('department, roles')
      expect(consent.body).not.toContain('tenant')
      const callback = locationOf(await browser.submit(consent, { decision: 'allow' }))
      const tokens = tokensIn(await redeem(app, client, callback.searchParams.get('code') ?? ''))
      expect(claimsIn(tokens.idToken)).toMatchObject(GIVEN)
      expect((await userinfo(app, tokens.accessToken)).json).toMatchObject(GIVEN)

      const again = await authorize(browser, authorizeUrl(app, client, { scope: 'openid', prompt: 'none' }))
      expect(again.searchParams.get('code')).not.toBeNull()
      const elsewhere = browserSession(app.issuer)
      const signedIn = await signIn(elsewhere, await elsewhere.open(authorizeUrl(app, client, { scope: 'openid' })))
      expect(locationOf(signedIn).searchParams.get('code')).not.toBeNull()

      const more = [...RULES, { claim: 'mail', source: 'email' }]
      await app.services.clients.update(client.client.id, { claims: more })
      expect((await userinfo(app, tokens.accessToken)).json).not.toHaveProperty('mail')
      const silent = await browser.open(authorizeUrl(app, client, { scope: 'openid', prompt: 'none' }))
      expect(locationOf(silent).searchParams.get('error')).toBe('consent_required')
      const asked = await browser.open(authorizeUrl(app, client, { scope: 'openid' }))
      expect(asked.body).toMatch(/>mail</)
      expect(asked.body).not.toContain('department')
      const allowed = locationOf(await browser.submit(asked, { decision: 'allow' }))
      const code = allowed.searchParams.get('code') ?? ''
      expect(claimsIn(tokensIn(await redeem(app, client, code)).idToken)).toMatchObject({
        ...GIVEN,
        mail: 'ada@example.com',
      })
    })

    test('are shown once more where the client asks for consent once more', async () => {
      const client = await createClient(app.services, { claims: RULES })
      const browser = browserSession(app.issuer)
      await authorize(browser, authorizeUrl(app, client, { scope: 'openid' }))
      const page = await browser.open(authorizeUrl(app, client, { scope: 'openid', prompt: 'consent' }))
      expect(page.body).toContain('department, roles')
    })

    test('are not given where the person says no', async () => {
      const client = await createClient(app.services, { claims: RULES })
      const browser = browserSession(app.issuer)
      const consent = await signIn(browser, await browser.open(authorizeUrl(app, client, { scope: 'openid' })))
      const refused = locationOf(await browser.submit(consent, { decision: 'deny' }))
      expect(refused.searchParams.get('error')).toBe('access_denied')
      expect(await receiptsOf(client)).toEqual([])
    })

    test('that a granted scope tells anyway are not asked for twice', async () => {
      const client = await createClient(app.services, {
        claims: [{ claim: 'roles', source: 'groups', scope: 'groups' }],
      })
      const browser = browserSession(app.issuer)
      const consent = await signIn(browser, await browser.open(authorizeUrl(app, client, { scope: 'openid groups' })))
      expect(consent.body).not.toContain('further details')
      const callback = locationOf(await browser.submit(consent, { decision: 'allow' }))
      const answer = await redeem(app, client, callback.searchParams.get('code') ?? '')
      expect(claimsIn(tokensIn(answer).idToken)['roles']).toEqual(['staff'])
    })
  })

  test('leave a receipt for each ID token and each answer of userinfo: who, when, where, which, and no value', async () => {
    const client = await createClient(app.services, { first_party: true, claims: [RULES[0]] })
    const { accessToken } = await tokensFor(app, client, { scope: 'openid email' })
    await userinfo(app, accessToken)
    await userinfo(app, accessToken)
    const receipts = await receiptsOf(client)
    const named = ['department', 'email', 'email_verified', 'sub']
    const at = (where: string) => receipts.filter(({ place }) => place === where).map(({ claims }) => claims)
    expect(at('id_token')).toEqual([['acr', 'amr', 'auth_time', ...named]])
    expect(at('userinfo')).toEqual([named, named])
    for (const { accountId, at: when } of receipts) {
      expect(accountId).toBe(sub)
      expect(Math.abs(when - Date.now() / 1_000)).toBeLessThan(30)
    }
    const rows = JSON.stringify(await app.services.database.db.selectFrom('claim_receipts').selectAll().execute())
    expect(rows).not.toMatch(/ada@|Finance/)
  })

  test('are given although no receipt can be written now, and the receipts follow', async () => {
    const client = await createClient(app.services, { first_party: true })
    const { accessToken } = await tokensFor(app, client, { scope: 'openid email' })
    const before = (await receiptsOf(client)).length
    const { db } = app.services.database
    await db.schema.alterTable('claim_receipts').renameTo('claim_receipts_away').execute()
    try {
      expect((await userinfo(app, accessToken)).status).toBe(200)
      await app.services.claimReceipts.flush()
    } finally {
      await db.schema.alterTable('claim_receipts_away').renameTo('claim_receipts').execute()
    }
    expect(await receiptsOf(client)).toHaveLength(before + 1)
  })
})

describe('without receipts', () => {
  test('claims are given and nothing is written', async () => {
    const [sqlite] = databases
    if (!sqlite) throw new Error('SQLite is always there')
    const app = await startApp(sqlite, { settings: { CLAIM_RECEIPTS_RETENTION_SECONDS: '0' } })
    try {
      await createPerson(app.services)
      const { accessToken } = await tokensFor(app, await createClient(app.services, { first_party: true }))
      expect((await userinfo(app, accessToken)).status).toBe(200)
      await app.services.claimReceipts.flush()
      expect((await app.services.claimReceipts.list({})).items).toEqual([])
    } finally {
      await app.close()
    }
  })
})
