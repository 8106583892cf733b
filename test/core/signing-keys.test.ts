import { createPublicKey, X509Certificate } from 'node:crypto'
import { CompactSign, compactVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { FIRST_ALGORITHMS, SIGNING_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import { generateSigningKey } from '#core/signing-keys/generate.ts'
import {
  CLOCK_TOLERANCE_SECONDS,
  keyState,
  publishedKeys,
  type KeyState,
  type KeyTimes,
} from '#core/signing-keys/key-state.ts'
import { follow } from '#core/signing-keys/succession.ts'

const NOW = 1_800_000_000
const HOUR = 3_600

describe('the state of a key', () => {
  const times = { activatesAt: 100, retiresAt: 200, unpublishedAt: 250, goneAt: 300 }
  const open = { activatesAt: 100, retiresAt: undefined, unpublishedAt: undefined, goneAt: undefined }
  const ofTheFirstRelease = { ...times, unpublishedAt: undefined }
  test.each<[string, KeyTimes, number, KeyState]>([
    ['waits before it signs', times, 99, 'next'],
    ['signs from its first second', times, 100, 'current'],
    ['signs up to its last second', times, 199, 'current'],
    ['retires in the second in which its successor begins', times, 200, 'retiring'],
    ['is published while what it signed is valid', times, 249, 'retiring'],
    ['is kept for hints after that', times, 250, 'retired'],
    ['is kept for hints up to its last second', times, 299, 'retired'],
    ['is published to its end where it was rotated by the first release', ofTheFirstRelease, 299, 'retiring'],
    ['is gone after that', times, 300, 'gone'],
    ['waits without an end', open, 0, 'next'],
    ['signs without an end', open, 1_000_000, 'current'],
  ])('%s', (_, key, now, state) => {
    expect(keyState(key, now)).toBe(state)
  })
})

describe('the published keys', () => {
  const key = (
    kid: string,
    alg: string,
    sequence: number,
    activatesAt: number,
    retiresAt?: number,
    goneAt?: number,
  ) => ({
    kid,
    alg,
    sequence,
    activatesAt,
    retiresAt,
    unpublishedAt: goneAt === undefined ? undefined : goneAt - 20,
    goneAt,
  })

  test('stand as current, next, retiring; each by algorithm and age; without the retired and the gone', () => {
    const keys = [
      key('retired', 'RS256', 0, 0, 10, 110),
      key('gone', 'RS256', 1, 0, 10, 50),
      key('retiring', 'RS256', 2, 10, 90, 150),
      key('next, unknown here', 'ES512', 2, 120),
      key('current', 'RS256', 3, 90, 110, 200),
      key('next', 'RS256', 4, 110, 130, 250),
      key('last', 'RS256', 5, 130),
      key('EC', 'ES256', 1, 0),
    ]
    const order = ['current', 'EC', 'next', 'last', 'next, unknown here', 'retiring']
    expect(publishedKeys(keys, 100).map(({ kid }) => kid)).toEqual(order)
    expect(publishedKeys(keys.toReversed(), 100).map(({ kid }) => kid)).toEqual(order)
  })
})

describe('the times of a rotation', () => {
  test.each([1, 2, 3, 4, 5])(
    'never fail a verifier with a cached JWKS, in simulated days of random rotations (%i)',
    (seed) => {
      const random = seededRandom(seed)
      const ahead = 60 + Math.floor(random() * HOUR)
      const life = 60 + Math.floor(random() * 2 * HOUR)
      const keys = randomTimeline(random, ahead, life)
      const end = keys.at(-1)?.activatesAt ?? 0
      // whatever changes, changes at one of these moments or a second before it
      const edges = keys
        .flatMap(({ createdAt, activatesAt, retiresAt, unpublishedAt }) => [
          createdAt,
          activatesAt,
          retiresAt ?? end,
          unpublishedAt ?? end,
        ])
        .flatMap((edge) => [edge - 1, edge])
      const moments = [...edges, ...Array.from({ length: 500 }, () => NOW + Math.floor(random() * (end - NOW)))].filter(
        (t) => t >= NOW,
      )

      const published = (now: number) =>
        publishedKeys(
          keys.filter(({ createdAt }) => createdAt <= now),
          now,
        )
      const snapshots = moments.map((at) => ({ at, kids: new Set(published(at).map(({ kid }) => kid)) }))
      let looks = 0
      for (const signedAt of moments) {
        const current = published(signedAt).filter((key) => keyState(key, signedAt) === 'current')
        expect(current).toHaveLength(1)
        const signer = current[0]?.kid ?? ''
        expect(published(signedAt)[0]?.kid).toBe(signer)
        const inHands = snapshots.filter(
          ({ at }) => at >= signedAt - ahead && at <= signedAt + life + CLOCK_TOLERANCE_SECONDS,
        )
        expect(inHands.filter(({ kids }) => !kids.has(signer))).toEqual([])
        looks += inHands.length
      }
      expect(looks).toBeGreaterThan(1_000)
    },
  )
})

describe.each(SIGNING_ALGORITHMS)('a generated %s key', (alg) => {
  test('says what it is, is named by its thumbprint and signs what its public half verifies', async () => {
    const { kid, publicJwk, privateJwk } = await generateSigningKey(alg, NOW)
    expect(publicJwk).toMatchObject({ kid, alg, use: 'sig' })
    expect(privateJwk).toMatchObject(publicJwk)
    expect(kid).toMatch(/^[\w-]{43}$/)
    const token = await new CompactSign(Buffer.from('word'))
      .setProtectedHeader({ alg, kid })
      .sign(await importJWK(privateJwk, alg))
    const { payload } = await compactVerify(token, publicJwk)
    expect(Buffer.from(payload).toString()).toBe('word')
    const secrets = Object.keys(privateJwk).filter((member) => !(member in publicJwk))
    expect(secrets).toContain('d')
    expect(Object.keys(publicJwk).filter((member) => ['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(member))).toEqual([])
  })
})

test('the first keys are RSA of 2048 bits, P-256 and Ed25519', async () => {
  const [rsa, ec, okp] = await Promise.all(FIRST_ALGORITHMS.map((alg) => generateSigningKey(alg, NOW)))
  expect(Buffer.from(rsa?.publicJwk.n ?? '', 'base64url')).toHaveLength(256)
  expect(ec?.publicJwk).toMatchObject({ kty: 'EC', crv: 'P-256' })
  expect(okp?.publicJwk).toMatchObject({ kty: 'OKP', crv: 'Ed25519' })
  expect(okp?.publicJwk).not.toHaveProperty('x5c')
})

describe.each(SIGNING_ALGORITHMS.filter((alg) => alg !== 'EdDSA'))('the certificate of a %s key', (alg) => {
  test('holds exactly that key, is signed by it and outlives it', async () => {
    const { kid, publicJwk } = await generateSigningKey(alg, NOW)
    expect(publicJwk.x5c).toHaveLength(1)
    const certificate = new X509Certificate(Buffer.from(publicJwk.x5c?.[0] ?? '', 'base64'))
    const key = createPublicKey({ key: publicJwk, format: 'jwk' })
    expect(certificate.publicKey.equals(key)).toBe(true)
    expect(certificate.verify(key)).toBe(true)
    expect(certificate.publicKey.asymmetricKeyType).toBe(alg.startsWith('E') ? 'ec' : 'rsa')
    expect(certificate.subject).toBe(`CN=Latchkey signing key ${kid}`)
    expect(certificate.issuer).toBe(certificate.subject)
    expect(certificate.ca).toBe(false)
    expect(certificate.validFromDate.getTime()).toBeLessThan(NOW * 1000)
    expect(certificate.validToDate.getTime()).toBeGreaterThan((NOW + 9 * 365 * 86_400) * 1000)
    expect(BigInt(`0x${certificate.serialNumber}`) > 1n << 32n).toBe(true)
  })

  test('leaves nothing behind in Reflect', async () => {
    await generateSigningKey(alg, NOW)
    expect(Reflect).not.toHaveProperty('getMetadata')
    expect(Reflect).not.toHaveProperty('getOwnMetadata')
  })
})

interface SimulatedKey extends KeyTimes {
  readonly kid: string
  readonly alg: string
  readonly sequence: number
  readonly createdAt: number
}

/** Three days of rotations: in bursts a second or a minute apart, and with hours of rest between them. */
function randomTimeline(random: () => number, ahead: number, life: number): SimulatedKey[] {
  const keys: SimulatedKey[] = []
  let last: SimulatedKey = {
    kid: '1',
    alg: 'RS256',
    sequence: 1,
    createdAt: NOW,
    activatesAt: NOW,
    retiresAt: undefined,
    unpublishedAt: undefined,
    goneAt: undefined,
  }
  for (
    let now = NOW;
    now < NOW + 3 * 86_400;
    now += Math.floor([0, 1, 60, HOUR, 8 * HOUR][Math.floor(random() * 5)] ?? 0) + 1
  ) {
    const lives = { publishAheadSeconds: ahead, tokenSeconds: life, hintSeconds: 7 * 86_400 }
    const { changes, activatesAt = now } = follow([last], now, lives)
    keys.push(...changes.map(({ after }) => after))
    const sequence = last.sequence + 1
    last = { ...last, kid: String(sequence), sequence, createdAt: now, activatesAt }
  }
  return [...keys, last]
}

/** Mulberry32: small, and the same every time. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
