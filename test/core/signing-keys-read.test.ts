import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { importedKey } from '#core/signing-keys/imported-key.ts'
import { readPrivateKey } from '#core/signing-keys/read-key.ts'

const NOW = 1_800_000_000
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
const p256 = ec('P-256')
const ed = generateKeyPairSync('ed25519').privateKey
const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') => key.export({ type, format: 'pem' }).toString()
const jwk = (key: KeyObject) => key.export({ format: 'jwk' })
const json = (value: unknown) => JSON.stringify(value)

describe('a private key is read', () => {
  test.each([
    ['RSA as PKCS#1', rsa, pem(rsa, 'pkcs1')],
    ['RSA as PKCS#8', rsa, pem(rsa, 'pkcs8')],
    ['RSA on one line of an .env', rsa, pem(rsa, 'pkcs8').trimEnd().replaceAll('\n', '\\n')],
    ['with the name and the quotes of an .env', rsa, `OIDC_KEY="${pem(rsa, 'pkcs1').replaceAll('\n', '\\n')}"`],
    ['with the line breaks of Windows', rsa, pem(rsa, 'pkcs8').replaceAll('\n', '\r\n')],
    ['with those on one line', rsa, pem(rsa, 'pkcs8').replaceAll('\n', '\\r\\n')],
    ['with spaces for line breaks', rsa, pem(rsa, 'pkcs8').replaceAll('\n', ' ')],
    ['EC as SEC1', p256, pem(p256, 'sec1')],
    [
      'EC with the parameters that openssl writes before it',
      p256,
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem(p256, 'sec1')}`,
    ],
    ['EC as PKCS#8', p256, pem(p256, 'pkcs8')],
    ['Ed25519 as PKCS#8', ed, pem(ed, 'pkcs8')],
    ['a JWK', rsa, json({ ...jwk(rsa), use: 'sig' })],
    ['a JWK set with one private key', p256, json({ keys: [{ ...jwk(rsa), d: undefined }, jwk(p256)] })],
  ])('%s', (_, key, text) => {
    expect(readPrivateKey(text, undefined).jwk).toEqual(jwk(key))
  })

  test.each([
    ['RS256 for RSA', rsa, undefined, 'RS256'],
    ['what was asked for', rsa, 'PS384', 'PS384'],
    ['ES256 for P-256', p256, undefined, 'ES256'],
    ['ES384 for P-384', ec('P-384'), undefined, 'ES384'],
    ['ES512 for P-521', ec('P-521'), undefined, 'ES512'],
    ['EdDSA for Ed25519', ed, undefined, 'EdDSA'],
  ] as const)('and signs %s', (_, key, wanted, alg) => {
    expect(readPrivateKey(pem(key, 'pkcs8'), wanted).alg).toBe(alg)
  })

  test('and signs what its JWK says of itself', () => {
    expect(readPrivateKey(json({ ...jwk(rsa), alg: 'PS256' }), undefined).alg).toBe('PS256')
    expect(readPrivateKey(json({ ...jwk(ed), alg: 'Ed25519' }), undefined).alg).toBe('EdDSA')
  })
})

describe('refuses', () => {
  const encrypted = { cipher: 'aes-256-cbc', passphrase: 'secret' } as const
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const publicPem = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString()
  test.each([
    ['an encrypted PKCS#8', rsa.export({ type: 'pkcs8', format: 'pem', ...encrypted }).toString(), 'passphrase'],
    ['an encrypted PKCS#1', rsa.export({ type: 'pkcs1', format: 'pem', ...encrypted }).toString(), 'passphrase'],
    ['a public key', publicPem, 'no private key'],
    ['a public JWK', json({ ...jwk(rsa), d: undefined }), 'no private half'],
    ['a shared secret', json({ kty: 'oct', k: 'c2VjcmV0' }), 'shared secret'],
    ['a JWK set with two private keys', json({ keys: [jwk(rsa), jwk(p256)] }), '2 private keys'],
    ['a JWK set with none', json({ keys: [] }), '0 private keys'],
    ['several private keys', pem(rsa, 'pkcs8') + pem(p256, 'pkcs8'), 'several'],
    ['a key for encryption', json({ ...jwk(rsa), use: 'enc' }), 'not for signing'],
    ['a small RSA key', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8'), '1024 bits'],
    ['a curve without an algorithm', pem(ec('secp256k1'), 'pkcs8'), 'curve'],
    ['a curve without a JWK', pem(ec('brainpoolP256r1'), 'pkcs8'), 'curve'],
    ['Ed448', pem(generateKeyPairSync('ed448').privateKey, 'pkcs8'), 'ed448'],
    [
      'a key bound to RSA-PSS',
      pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey, 'pkcs8'),
      'rsa-pss',
    ],
    ['halves that do not belong together', json({ ...jwk(p256), ...xy(ec('P-256')) }), ''],
    ['an RSA key with a foreign modulus', json({ ...jwk(rsa), n: jwk(other).n }), ''],
    ['a cut-off PEM', pem(rsa, 'pkcs8').replace(/\n.{64}\n/, '\n'), 'damaged'],
    ['broken JSON', '{"kty": "RSA", "d": "a-private-number"', 'not JSON'],
    ['JSON that is no key', '{}', 'no private half'],
    ['anything else', 'hello', 'no key'],
    ['an algorithm of encryption', json({ ...jwk(rsa), alg: 'RSA-OAEP' }), 'algorithm'],
  ])('%s', (_, text, why) => {
    const error = thrownBy(() => readPrivateKey(text, undefined))
    expect(error).toMatchObject({ code: 'invalid_input', hint: expect.any(String) })
    expect(error).toHaveProperty('message', expect.stringContaining(why))
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('a-private-number')
  })

  test('an algorithm that the key does not sign, or that its JWK denies', () => {
    expect(thrownBy(() => readPrivateKey(pem(p256, 'pkcs8'), 'ES384'))).toMatchObject({ code: 'invalid_input' })
    expect(thrownBy(() => readPrivateKey(pem(rsa, 'pkcs8'), 'ES256'))).toMatchObject({ code: 'invalid_input' })
    expect(thrownBy(() => readPrivateKey(json({ ...jwk(rsa), alg: 'RS256' }), 'PS256'))).toMatchObject({
      code: 'invalid_input',
    })
  })
})

describe('an imported key', () => {
  test('keeps the name it had, and its public half says nothing of the private one', async () => {
    const text = json({ ...jwk(rsa), kid: 'key-2024', alg: 'PS256', extra: 'member' })
    const { kid, alg, publicJwk, privateJwk } = await importedKey(text, undefined, [], NOW)
    expect({ kid, alg }).toEqual({ kid: 'key-2024', alg: 'PS256' })
    expect(Object.keys(publicJwk).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use', 'x5c'])
    expect(privateJwk).not.toHaveProperty('extra')
  })

  test.each(['-dash', 'with space', 'x'.repeat(200), 'line\nbreak', 'taken'])(
    'is named by its thumbprint where its name %j will not do',
    async (name) => {
      const known = [{ kid: 'taken', publicJwk: json({ ...jwk(p256), d: undefined }) }]
      const { kid } = await importedKey(json({ ...jwk(ed), kid: name }), undefined, known, NOW)
      expect(kid).toMatch(/^[\w-]{43}$/)
    },
  )

  test('is refused where it is known already, under whatever name', async () => {
    const known = [{ kid: 'other', publicJwk: json({ ...jwk(p256), d: undefined, kid: 'other', use: 'sig' }) }]
    await expect(importedKey(pem(p256, 'sec1'), undefined, known, NOW)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('other'),
    })
  })
})

function xy(key: KeyObject) {
  const { x, y } = jwk(key)
  return { x, y }
}

function thrownBy(run: () => unknown): object {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}
