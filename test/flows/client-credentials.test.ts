// A service that asks for a token in its own name, with openid-client.
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { post, query, token } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'

describe.each(databases)('client credentials on $name', (database) => {
  let app: TestApp
  let service: RegisteredClient

  beforeAll(async () => {
    app = await startApp(database)
    service = await createClient(app.services, { type: 'service', redirect_uris: [] })
  })
  afterAll(() => app.close())

  test('give a bearer token without a person, a refresh token or an ID token', async () => {
    const { config } = await relyingParty(app.issuer, service)
    const tokens = await oidc.clientCredentialsGrant(config)
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: app.config.tokens.accessSeconds })
    expect(tokens.refresh_token ?? tokens.id_token).toBeUndefined()
    const about = await oidc.tokenIntrospection(config, tokens.access_token)
    expect(about).toMatchObject({ active: true, client_id: service.client.id })
    expect(about.sub ?? service.client.id).toBe(service.client.id)
  })

  test('give a token that is bound to a key, to a service that proves one', async () => {
    const { config } = await relyingParty(app.issuer, service)
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
    const tokens = await oidc.clientCredentialsGrant(config, undefined, { DPoP })
    expect(tokens.token_type).toBe('dpop')
    expect(await oidc.tokenIntrospection(config, tokens.access_token)).toMatchObject({
      active: true,
      cnf: { jkt: expect.any(String) },
    })
  })

  test('are refused without such a proof to a service that registered it', async () => {
    const metadata = { dpop_bound_access_tokens: true }
    const bound = await createClient(app.services, { type: 'service', redirect_uris: [], metadata })
    const { status, json } = await token(app, bound, { grant_type: 'client_credentials' })
    expect([status, json['access_token']]).toEqual([400, undefined])
  })

  test('take the secret from Basic and from the body', async () => {
    expect((await token(app, service, { grant_type: 'client_credentials' })).status).toBe(200)
    const { client, secret } = service
    expect(
      (
        await post(`${app.issuer}/token`, {
          grant_type: 'client_credentials',
          client_id: client.id,
          client_secret: secret,
        })
      ).status,
    ).toBe(200)
  })

  test('end with the client, at once', async () => {
    const doomed = await createClient(app.services, { type: 'service', redirect_uris: [] })
    const { config } = await relyingParty(app.issuer, doomed)
    const { access_token: accessToken } = await oidc.clientCredentialsGrant(config)
    await app.services.clients.disable(doomed.client.id)
    await expect(oidc.clientCredentialsGrant(config)).rejects.toMatchObject({ error: 'invalid_client' })
    await app.services.clients.enable(doomed.client.id)
    expect(await oidc.tokenIntrospection(config, accessToken)).toEqual({ active: false })
  })

  test('send a service to no sign-in page', async () => {
    const url = `${app.issuer}/authorize?${query({ client_id: service.client.id, response_type: 'code', scope: 'openid', redirect_uri: 'https://rp.example/cb' })}`
    const response = await fetch(url, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  })
})
