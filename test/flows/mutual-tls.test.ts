// Mutual TLS on our own https (RFC 8705): certificates by name and by key, and tokens bound to one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, startApp, type TestApp } from '../support/app.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { newAuthority, over, selfSigned, type Authority, type Certificate } from '../support/client-certificates.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'

const NAME = [{ C: ['DE'] }, { O: ['Acme, Inc.'] }, { CN: ['job'] }]
const DN = 'CN=job, O=Acme\\, Inc., C=DE'

describe('mutual TLS on our own https', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-mtls-'))
  let app: TestApp
  let issuer: string
  let ca: string
  let authority: Authority

  beforeAll(async () => {
    const port = await freePort()
    issuer = `https://localhost:${port}`
    const server = await certificateOfLocalhost()
    ca = server.certificate
    authority = await newAuthority('CN=Clients')
    const files = { 'tls.crt': server.certificate, 'tls.key': server.key, 'client-ca.pem': authority.pem }
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
    const settings = {
      ISSUER: issuer,
      PORT: String(port),
      TLS_CERT: path.join(folder, 'tls.crt'),
      TLS_KEY: path.join(folder, 'tls.key'),
      TLS_CLIENT_CA: path.join(folder, 'client-ca.pem'),
    }
    app = await startApp(databases[0] ?? expect.fail('no database'), { settings })
  })
  afterAll(async () => {
    await app.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const service = async (metadata: Record<string, unknown>) =>
    (await createClient(app.services, { type: 'service', redirect_uris: [], metadata })).client.id
  const byName = (more: Record<string, unknown>) => service({ token_endpoint_auth_method: 'tls_client_auth', ...more })
  const byKey = (certificate: Certificate, more: Record<string, unknown> = {}) =>
    service({
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [certificate.jwk] },
      ...more,
    })
  const ask = (id: string, certificate?: Certificate) =>
    over(`${issuer}/token`, certificate, { ca, fields: { grant_type: 'client_credentials', client_id: id } })
  const statusOf = async (id: string, certificate?: Certificate) => (await ask(id, certificate)).status
  const introspect = (id: string, certificate: Certificate, token: unknown) =>
    over(`${issuer}/introspect`, certificate, { ca, fields: { client_id: id, token: String(token) } })

  test('discovery says so', async () => {
    const { json } = await over(`${issuer}/.well-known/openid-configuration`, undefined, { ca })
    expect(json['token_endpoint_auth_methods_supported']).toEqual(
      expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
    )
    expect(json['tls_client_certificate_bound_access_tokens']).toBe(true)
  })

  test.each<[string, Record<string, unknown>, () => Promise<Certificate>, () => Promise<Certificate>]>([
    [
      'its subject',
      { tls_client_auth_subject_dn: DN },
      () => authority.issue({ name: NAME }),
      () => authority.issue({ name: NAME.toReversed() }),
    ],
    [
      'a DNS name',
      { tls_client_auth_san_dns: 'job.example' },
      () => authority.issue({ name: 'CN=a', names: [{ type: 'dns', value: 'job.example' }] }),
      () => authority.issue({ name: 'CN=job.example', names: [{ type: 'dns', value: '*.example' }] }),
    ],
    [
      'a URI',
      { tls_client_auth_san_uri: 'spiffe://acme/job' },
      () => authority.issue({ name: 'CN=a', names: [{ type: 'url', value: 'spiffe://acme/job' }] }),
      () => authority.issue({ name: 'CN=a', names: [{ type: 'dns', value: 'x, URI:spiffe://acme/job, y' }] }),
    ],
    [
      'an address',
      { tls_client_auth_san_ip: '192.0.2.7' },
      () => authority.issue({ name: 'CN=a', names: [{ type: 'ip', value: '192.0.2.7' }] }),
      () => authority.issue({ name: 'CN=192.0.2.7', names: [{ type: 'dns', value: '192.0.2.7' }] }),
    ],
    [
      'an e-mail address',
      { tls_client_auth_san_email: 'job@acme.example' },
      () => authority.issue({ name: 'CN=a', names: [{ type: 'email', value: 'job@acme.example' }] }),
      () => authority.issue({ name: 'CN=job@acme.example', names: [{ type: 'dns', value: 'acme.example' }] }),
    ],
  ])('knows a certificate by %s, and not one that only looks like it', async (_, metadata, right, wrong) => {
    const id = await byName(metadata)
    expect(await statusOf(id, await right())).toBe(200)
    expect(await statusOf(id, await wrong())).toBe(401)
  })

  test('refuses a name that an unknown, an expired or no authority vouches for', async () => {
    const id = await byName({ tls_client_auth_subject_dn: DN })
    const namesake = await newAuthority('CN=Clients')
    expect(await statusOf(id, await namesake.issue({ name: NAME }))).toBe(401)
    expect(await statusOf(id, await selfSigned({ name: NAME }))).toBe(401)
    expect(await statusOf(id, await authority.issue({ name: NAME, days: -1 }))).toBe(401)
    expect((await ask(id)).json).toMatchObject({ error: 'invalid_client' })
  })

  test('knows a self-signed certificate by its registration, and no other with the same name', async () => {
    const certificate = await selfSigned({ name: 'CN=own' })
    const id = await byKey(certificate)
    expect(await statusOf(id, certificate)).toBe(200)
    expect(await statusOf(id, await selfSigned({ name: 'CN=own' }))).toBe(401)
    expect(await statusOf(id, await authority.issue({ name: 'CN=own' }))).toBe(401)
    expect(await statusOf(id)).toBe(401)
  })

  test('binds tokens to the certificate of whoever asked', async () => {
    const certificate = await selfSigned({ name: 'CN=own' })
    const id = await byKey(certificate, { tls_client_certificate_bound_access_tokens: true })
    const { json } = await ask(id, certificate)
    const thumbprint = Buffer.from(certificate.x509.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
    expect((await introspect(id, certificate, json['access_token'])).json).toMatchObject({
      active: true,
      cnf: { 'x5t#S256': thumbprint },
    })
  })

  test('reads no certificate from a header', async () => {
    const certificate = await selfSigned({ name: 'CN=own' })
    const id = await byKey(certificate)
    const headers = { 'client-cert': `:${certificate.x509.raw.toString('base64')}:` }
    const fields = { grant_type: 'client_credentials', client_id: id }
    expect((await over(`${issuer}/token`, undefined, { ca, fields, headers })).status).toBe(401)
  })
})
