// A client asks about its own tokens and gives them back, with openid-client.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { claimsIn, tokensFor, userinfo } from '../support/protocol.ts'
import { relyingParty, type RelyingParty } from '../support/relying-party.ts'

describe.each(databases)('introspection and revocation on $name', (database) => {
  let app: TestApp
  let web: RegisteredClient
  let rp: RelyingParty

  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
    web = await createClient(app.services)
    rp = await relyingParty(app.issuer, web)
  })
  afterAll(() => app.close())

  test('tell a client all about its access token and its refresh token', async () => {
    const tokens = await tokensFor(app, web, { scope: 'openid email offline_access', prompt: 'consent' })
    const { sub } = claimsIn(tokens.idToken)
    const access = await oidc.tokenIntrospection(rp.config, tokens.accessToken)
    expect(access).toMatchObject({
      active: true,
      client_id: web.client.id,
      sub,
      scope: 'openid email offline_access',
      iss: app.issuer,
      token_type: 'Bearer',
    })
    expect(Number(access.exp) - Number(access.iat)).toBe(app.config.tokens.accessSeconds)
    const lasting = await oidc.tokenIntrospection(rp.config, tokens.refreshToken, { token_type_hint: 'refresh_token' })
    expect(lasting).toMatchObject({ active: true, client_id: web.client.id, sub })
  })

  test('end an access token, and say the same of one that never was', async () => {
    const { accessToken } = await tokensFor(app, web)
    await oidc.tokenRevocation(rp.config, accessToken)
    await oidc.tokenRevocation(rp.config, accessToken)
    await oidc.tokenRevocation(rp.config, 'never-was')
    expect((await userinfo(app, accessToken)).status).toBe(401)
    expect(await oidc.tokenIntrospection(rp.config, accessToken)).toEqual({ active: false })
  })

  test('let a public client give its refresh token back', async () => {
    const spa = await createClient(app.services, { type: 'spa' })
    const own = await relyingParty(app.issuer, spa)
    const { refreshToken } = await tokensFor(app, spa, { scope: 'openid offline_access', prompt: 'consent' })
    await oidc.tokenRevocation(own.config, refreshToken)
    await expect(oidc.refreshTokenGrant(own.config, refreshToken)).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})
