// Mutual TLS that a proxy ends: its header counts, everybody else's does not; and a server that no certificate reaches.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, createPerson, REDIRECT_URI, startApp, type TestApp } from '../support/app.ts'
import { newAuthority, selfSigned, type Authority, type Certificate } from '../support/client-certificates.ts'
import { databases } from '../support/databases.ts'
import { codeFor, post, send, VERIFIER } from '../support/protocol.ts'

const escaped = ({ pem }: Certificate) => ({ 'x-client-cert': encodeURIComponent(pem) })
const own = (certificate: Certificate) => ({
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  jwks: { keys: [certificate.jwk] },
})
const service = async ({ services }: TestApp, metadata: Record<string, unknown>) =>
  (await createClient(services, { type: 'service', redirect_uris: [], metadata })).client.id
const ask = ({ issuer }: TestApp, id: string, headers: Record<string, string>) =>
  post(`${issuer}/token`, { grant_type: 'client_credentials', client_id: id }, headers)

describe.each(databases)('mutual TLS behind a proxy on $name', (database) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-mtls-proxy-'))
  let app: TestApp
  let authority: Authority
  let certificate: Certificate

  beforeAll(async () => {
    authority = await newAuthority('CN=Clients')
    certificate = await selfSigned({ name: 'CN=own' })
    writeFileSync(path.join(folder, 'ca.pem'), authority.pem)
    const settings = {
      CLIENT_CERT_HEADER: 'X-Client-Cert',
      TRUSTED_PROXIES: '127.0.0.1,::1',
      TLS_CLIENT_CA: path.join(folder, 'ca.pem'),
    }
    app = await startApp(database, { settings })
    await createPerson(app.services)
  })
  afterAll(async () => {
    await app.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('takes the certificate as nginx and as RFC 9440 write it', async () => {
    const id = await service(app, own(certificate))
    const der = certificate.x509.raw.toString('base64')
    expect((await ask(app, id, escaped(certificate))).status).toBe(200)
    expect((await ask(app, id, { 'x-client-cert': `:${der}:` })).status).toBe(200)
  })

  test.each<[string, (one: Certificate) => string]>([
    ['nothing', () => ''],
    ['bytes without colons', ({ x509 }) => x509.raw.toString('base64')],
    ['base64 of nothing', () => ':AAAA:'],
    ['broken percent-encoding', ({ pem }) => `${encodeURIComponent(pem)}%E0%A4%A`],
    ['two certificates', ({ pem }) => encodeURIComponent(pem + pem)],
    ['a certificate and more', ({ pem }) => encodeURIComponent(`${pem}x`)],
  ])('refuses %s for a certificate', async (_, value) => {
    const id = await service(app, own(certificate))
    const { status, json } = await ask(app, id, { 'x-client-cert': value(certificate) })
    expect([status, json['error']]).toEqual([401, 'invalid_client'])
  })

  test('judges names by the authorities itself, whatever the proxy let through', async () => {
    const id = await service(app, {
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=job',
    })
    const stranger = await newAuthority('CN=Clients')
    expect((await ask(app, id, escaped(await authority.issue({ name: 'CN=job' })))).status).toBe(200)
    for (const forged of [
      await stranger.issue({ name: 'CN=job' }),
      await selfSigned({ name: 'CN=job' }),
      await authority.issue({ name: 'CN=job', days: -1 }),
      await authority.issue({ name: 'CN=jobs' }),
    ])
      expect((await ask(app, id, escaped(forged))).json).toMatchObject({ error: 'invalid_client' })
  })

  test('binds the tokens of a person, at userinfo and at refresh', async () => {
    const web = await createClient(app.services, {
      first_party: true,
      refresh_tokens: 'always',
      metadata: { ...own(certificate), tls_client_certificate_bound_access_tokens: true },
    })
    const config = await oidc.discovery(new URL(app.issuer), web.client.id, undefined, oidc.TlsClientAuth(), {
      execute: [oidc.allowInsecureRequests],
    })
    // what a TLS connection would do, a header of the proxy does
    const through = (shown: Certificate) => {
      config[oidc.customFetch] = (url, options) =>
        fetch(url, { ...options, headers: { ...options.headers, ...escaped(shown) } } as RequestInit)
    }
    through(certificate)
    const code = await codeFor(app, web)
    const callback = new URL(`${REDIRECT_URI}?code=${code}&state=a-state&iss=${encodeURIComponent(app.issuer)}`)
    const checks = { pkceCodeVerifier: VERIFIER, expectedState: 'a-state', expectedNonce: 'a-nonce' }
    const tokens = await oidc.authorizationCodeGrant(config, callback, checks)
    const sub = tokens.claims()?.sub ?? ''
    expect(await oidc.fetchUserInfo(config, tokens.access_token, sub)).toMatchObject({ sub })
    const authorization = `Bearer ${tokens.access_token}`
    for (const headers of [{ authorization }, { authorization, ...escaped(await selfSigned({ name: 'CN=own' })) }])
      expect((await send(`${app.issuer}/userinfo`, { headers })).status).toBe(401)
    expect((await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).access_token).toBeDefined()
  })
})

describe('a server that no certificate reaches', () => {
  test('offers no such method, and refuses what would silently be less than was asked', async () => {
    const app = await startApp(databases[0] ?? expect.fail('no database'))
    const certificate = await selfSigned({ name: 'CN=own' })
    try {
      const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
      expect(JSON.stringify(json)).not.toMatch(/tls/)
      await expect(service(app, own(certificate))).rejects.toMatchObject({ code: 'invalid_input' })
      await expect(service(app, { tls_client_certificate_bound_access_tokens: true })).rejects.toThrow(/TLS_CLIENT_CA/)
    } finally {
      await app.close()
    }
  })

  test('is one whose header comes from a peer that is not trusted', async () => {
    const settings = { CLIENT_CERT_HEADER: 'X-Client-Cert', TRUSTED_PROXIES: '192.0.2.1' }
    const app = await startApp(databases[0] ?? expect.fail('no database'), { settings })
    const certificate = await selfSigned({ name: 'CN=own' })
    try {
      const id = await service(app, own(certificate))
      const forged = { ...escaped(certificate), 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' }
      expect((await ask(app, id, forged)).json).toMatchObject({ error: 'invalid_client' })
    } finally {
      await app.close()
    }
  })
})
