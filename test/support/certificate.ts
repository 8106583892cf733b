import { webcrypto } from 'node:crypto'

export interface CertificateWithKey {
  readonly certificate: string
  readonly key: string
}

/** A certificate for localhost that nobody vouches for but itself, or an issuer that nobody knows, and its key, both in PEM. */
export async function certificateOfLocalhost({
  name = 'localhost',
  days = 365,
  issuer = 'localhost',
} = {}): Promise<CertificateWithKey> {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: 'CN=localhost',
    issuer: `CN=${issuer}`,
    notBefore: new Date(Date.now() - 7 * 86_400_000),
    notAfter: new Date(Date.now() + days * 86_400_000),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      new x509.BasicConstraintsExtension(true, 1, true),
    ],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  }
}

/** A part of the library asks `Reflect` for two functions while it loads (see core/signing-keys/certificate.ts). */
export async function loadX509() {
  for (const name of ['getMetadata', 'getOwnMetadata']) Reflect.set(Reflect, name, () => undefined)
  return import('@peculiar/x509')
}
