// Certificates of clients, the authorities that sign them, and requests that show one on the connection.
import { webcrypto, X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import type { JsonName, JsonGeneralNames } from '@peculiar/x509'
import type { JWK } from 'jose'
import { loadX509 } from './certificate.ts'
import type { Answer } from './protocol.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 86_400_000

export interface Certificate {
  readonly pem: string
  /** PEM */
  readonly key: string
  readonly x509: X509Certificate
  /** With its certificate in x5c. */
  readonly jwk: JWK
}

export interface Wish {
  readonly name: JsonName | string
  readonly names?: JsonGeneralNames
  /** Days from now at which it ends; before now where negative. */
  readonly days?: number
}

export interface Authority {
  readonly pem: string
  issue(wish: Wish): Promise<Certificate>
}

export async function newAuthority(name: JsonName | string, { days = 30, isOne = true } = {}): Promise<Authority> {
  const x509 = await loadX509()
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    notBefore: new Date(Date.now() - 60 * DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(isOne, undefined, true)],
  })
  return {
    pem: own.toString('pem'),
    issue: (wish) => certificateOf(wish, { issuer: own.subjectName, signingKey: keys.privateKey }),
  }
}

/** One that nobody vouches for but itself. */
export function selfSigned(wish: Wish): Promise<Certificate> {
  return certificateOf(wish)
}

async function certificateOf(
  { name, names, days = 30 }: Wish,
  by?: { issuer: InstanceType<Awaited<ReturnType<typeof loadX509>>['Name']>; signingKey: webcrypto.CryptoKey },
): Promise<Certificate> {
  const x509 = await loadX509()
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const subject = typeof name === 'string' ? new x509.Name(name) : new x509.Name(name)
  const made = await x509.X509CertificateGenerator.create({
    subject,
    issuer: by?.issuer ?? subject,
    publicKey: keys.publicKey,
    signingKey: by?.signingKey ?? keys.privateKey,
    notBefore: new Date(Date.now() - 60 * DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    extensions: names ? [new x509.SubjectAlternativeNameExtension(names)] : [],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const certificate = new X509Certificate(made.toString('pem'))
  return {
    pem: made.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    x509: certificate,
    jwk: { ...certificate.publicKey.export({ format: 'jwk' }), x5c: [certificate.raw.toString('base64')] },
  }
}

/** Posts a form on a connection that shows the certificate; without a body it is a GET. */
export function over(
  url: string,
  certificate: Certificate | undefined,
  { fields, headers = {}, ca }: { fields?: Record<string, string>; headers?: Record<string, string>; ca: string },
): Promise<Pick<Answer, 'status' | 'json' | 'body'>> {
  const body = fields === undefined ? undefined : new URLSearchParams(fields).toString()
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, {
      method: body === undefined ? 'GET' : 'POST',
      ca,
      agent: false,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
      ...(certificate ? { cert: certificate.pem, key: certificate.key } : {}),
    })
    request.once('error', reject)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : {}
        resolve({ status: response.statusCode ?? 0, body: text, json })
      })
    })
    request.end(body)
  })
}
