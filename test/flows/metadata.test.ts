// Discovery: what relying parties learn is true, every address answers, and the documents may be kept for a while.
import { createPublicKey, X509Certificate } from 'node:crypto'
import { exportJWK, importJWK, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { RESPONSE_TYPES } from '#core/clients/response-flows.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { send, type Answer } from '../support/protocol.ts'

const DOCUMENTS = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
]

describe('discovery', () => {
  let app: TestApp
  let metadata: Readonly<Record<string, unknown>>

  beforeAll(async () => {
    app = await startApp(databases[0] ?? expect.fail('no database'))
    metadata = (await send(`${app.issuer}/.well-known/openid-configuration`)).json
  })
  afterAll(() => app.close())

  test('tells what is offered, and nothing that is not', () => {
    expect(metadata).toMatchObject({
      issuer: app.issuer,
      authorization_endpoint: `${app.issuer}/authorize`,
      token_endpoint: `${app.issuer}/token`,
      userinfo_endpoint: `${app.issuer}/userinfo`,
      jwks_uri: `${app.issuer}/.well-known/jwks.json`,
      introspection_endpoint: `${app.issuer}/introspect`,
      revocation_endpoint: `${app.issuer}/revoke`,
      pushed_authorization_request_endpoint: `${app.issuer}/par`,
      end_session_endpoint: `${app.issuer}/logout`,
      response_types_supported: [...RESPONSE_TYPES],
      response_modes_supported: expect.arrayContaining(['query', 'fragment', 'form_post', 'jwt', 'form_post.jwt']),
      subject_types_supported: ['public', 'pairwise'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      claims_parameter_supported: true,
      backchannel_authentication_endpoint: `${app.issuer}/backchannel_authentication`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      backchannel_user_code_parameter_supported: false,
      backchannel_authentication_request_signing_alg_values_supported: expect.arrayContaining(['RS256', 'ES256']),
      dpop_signing_alg_values_supported: ['ES256', 'PS256', 'Ed25519', 'EdDSA'],
    })
    expect(metadata['grant_types_supported']).toEqual(
      expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials', 'implicit', CIBA_GRANT]),
    )
    expect(metadata['scopes_supported']).toEqual(
      expect.arrayContaining(['openid', 'offline_access', 'profile', 'email', 'phone', 'address', 'groups']),
    )
    expect(metadata['id_token_signing_alg_values_supported']).toEqual(
      expect.arrayContaining(['RS256', 'ES256', 'EdDSA']),
    )
    expect(JSON.stringify(metadata['id_token_signing_alg_values_supported'])).not.toContain('none')
    expect(metadata['token_endpoint_auth_methods_supported']).toEqual(
      expect.arrayContaining([
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt',
        'none',
      ]),
    )
    expect(metadata['claims_supported']).toEqual(
      expect.arrayContaining(['sub', 'name', 'email', 'groups', 'address', 'phone_number', 'auth_time', 'amr']),
    )
    expect(metadata).not.toHaveProperty('registration_endpoint')
    // FAPI 2.0 is a matter of each client
    expect(metadata).not.toHaveProperty('require_pushed_authorization_requests')
  })

  test('names only addresses that answer', async () => {
    const addresses = Object.entries(metadata).filter(
      ([name, value]) => /_(endpoint|uri)$/.test(name) && typeof value === 'string',
    )
    expect(addresses.length).toBeGreaterThan(7)
    for (const [name, address] of addresses) {
      const answers = await Promise.all(
        ['GET', 'POST'].map((method) => send(String(address), { method, headers: { accept: 'application/json' } })),
      )
      const statuses = answers.map(({ status }) => status)
      expect(
        statuses.some((status) => status !== 404 && status !== 405),
        `${name}: ${statuses.join(' ')}`,
      ).toBe(true)
      expect(Math.max(...statuses), name).toBeLessThan(500)
    }
  })

  test.each(DOCUMENTS)('lets relying parties keep %s, and ask cheaply whether it changed', async (path) => {
    const first = await send(app.issuer + path)
    expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'public, max-age=300'])
    expect(first.headers.get('content-type')).toMatch(/^application\/(jwk-set\+)?json/)
    expect(first.headers.get('access-control-allow-origin')).toBeOneOf(['*', null])
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[\w-]+"$/)
    const again = await send(app.issuer + path, { headers: { 'if-none-match': etag } })
    expect([again.status, again.body]).toEqual([304, ''])
    expect((await send(app.issuer + path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    expect((await send(app.issuer + path, { method: 'HEAD' })).status).toBe(200)
  })

  test('answers every time alike, under an id of its own, whatever was answered before', async () => {
    const seen = ({ status, headers, body }: Answer) => {
      const { date: _, 'x-request-id': __, ...same } = Object.fromEntries(headers)
      return { status, body, headers: same }
    }
    for (const path of DOCUMENTS) {
      const answers = [
        await send(app.issuer + path),
        await send(app.issuer + path),
        await send(`${app.issuer}${path}?a`),
      ]
      const [first, second, asked] = answers
      expect(first && seen(first)).toEqual(second && seen(second))
      expect(asked && seen(asked)).toEqual(second && seen(second))
      expect(second?.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(3)
    }
  })

  test('says the same in both documents', async () => {
    const [openid, oauth] = await Promise.all(DOCUMENTS.slice(0, 2).map((path) => send(app.issuer + path)))
    expect(oauth?.json).toEqual(openid?.json)
  })

  test('allows scripts of every origin to read the documents', async () => {
    for (const path of DOCUMENTS) {
      const { headers } = await send(app.issuer + path, { headers: { origin: 'https://rp.example' } })
      expect(headers.get('access-control-allow-origin')).toBeOneOf(['*', 'https://rp.example'])
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    }
  })

  test('publishes public keys of every kind, with certificates of those very keys', async () => {
    const { keys } = (await send(`${app.issuer}/.well-known/jwks.json`)).json as { keys: JWK[] }
    expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'EdDSA', 'RS256'])
    for (const key of keys) {
      expect(key).toMatchObject({ use: 'sig', kid: expect.stringMatching(/^.{8,}$/), alg: expect.any(String) })
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret)
      await importJWK(key, key.alg)
      if (key.kty === 'OKP') continue
      const [certificate = ''] = key.x5c ?? []
      const x509 = new X509Certificate(Buffer.from(certificate, 'base64'))
      const { kty, n, e, crv, x, y } = key
      expect(await exportJWK(x509.publicKey)).toEqual(JSON.parse(JSON.stringify({ kty, n, e, crv, x, y })))
      expect(x509.checkPrivateKey.length).toBe(1)
      expect(Date.parse(x509.validTo)).toBeGreaterThan(Date.now())
      expect(createPublicKey({ key: { ...key }, format: 'jwk' }).type).toBe('public')
    }
  })

  test('shows another key at once, and no longer what was answered before', async () => {
    const kids = async () => JSON.stringify((await send(`${app.issuer}/.well-known/jwks.json`)).json)
    const before = await kids()
    const [rotation] = await app.services.signingKeys.rotate('ES256')
    await app.refreshKeys()
    const kid = rotation?.key.kid ?? ''
    expect([before.includes(kid), (await kids()).includes(kid)]).toEqual([false, true])
  })
})
