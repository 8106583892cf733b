import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSecrets, digest, equalSecrets, randomToken } from '#core/secrets.ts'

const PLACE = { table: 'clients', column: 'sealed_secret', row: 'reading-list' }
const [OLD, NEW] = [randomBytes(32), randomBytes(32)]

describe('a sealed value', () => {
  const secrets = createSecrets([OLD])

  test.each(['', 'a', 'Zażółć gęślą jaźń 🗝', 'x'.repeat(100_000)])('opens in its place as it was (%#)', (text) => {
    expect(secrets.open(PLACE, secrets.seal(PLACE, text))).toBe(text)
  })

  test('shows nothing of the text, and differs each time', () => {
    const sealed = [secrets.seal(PLACE, 'a well-kept secret'), secrets.seal(PLACE, 'a well-kept secret')]
    expect(sealed[0]).not.toBe(sealed[1])
    expect(Buffer.from(sealed[0]?.split('.')[2] ?? '', 'base64url').toString()).not.toContain('secret')
    expect(sealed[0]).not.toContain(OLD.toString('base64url'))
  })

  test.each([
    ['another row', { ...PLACE, row: 'another' }],
    ['another column', { ...PLACE, column: 'name' }],
    ['another table', { ...PLACE, table: 'accounts' }],
    ['the same letters, divided otherwise', { table: 'client', column: 's.sealed_secret', row: 'reading-list' }],
  ])('does not open in %s', (_, place) => {
    const sealed = secrets.seal(PLACE, 'text')
    expect(() => secrets.open(place, sealed)).toThrow(expect.objectContaining({ code: 'configuration' }))
  })

  const damages: readonly [string, (sealed: string) => string][] = [
    ['a changed letter', (sealed) => sealed.slice(0, 30) + (sealed[30] === 'A' ? 'B' : 'A') + sealed.slice(31)],
    ['its end cut off', (sealed) => sealed.slice(0, -6)],
    ['all but its head cut off', (sealed) => sealed.split('.').slice(0, 2).join('.')],
    ['an empty body', (sealed) => `${sealed.split('.').slice(0, 2).join('.')}.`],
    ['a version of another release', (sealed) => sealed.replace(/^v1/, 'v2')],
    ['nothing in it', () => ''],
    ['plain text in its place', () => 'a plain secret'],
  ]
  test.each(damages)('with %s does not open, and the error does not repeat it', (_, damage) => {
    const damaged = damage(secrets.seal(PLACE, 'a well-kept secret'))
    const open = () => secrets.open(PLACE, damaged)
    expect(open).toThrow(expect.objectContaining({ code: 'configuration' }))
    expect(open).toThrow(
      /^A sealed value in the database \(clients\.sealed_secret\) does not open with the master key in use\.$/,
    )
  })
})

describe('while the master key is being replaced', () => {
  const [before, during, after] = [createSecrets([OLD]), createSecrets([NEW, OLD]), createSecrets([NEW])]

  test('what the old key sealed opens, and what is sealed now opens when the old key is gone', () => {
    expect(during.open(PLACE, before.seal(PLACE, 'old'))).toBe('old')
    expect(after.open(PLACE, during.seal(PLACE, 'new'))).toBe('new')
  })

  test('a value of a key that is not here is refused with the remedy', () => {
    expect(() => after.open(PLACE, before.seal(PLACE, 'old'))).toThrow(
      expect.objectContaining({ code: 'configuration', hint: expect.stringContaining('master.key') }),
    )
  })

  test('derived keys come newest first, so that the newest signs and all verify', () => {
    expect(during.derivedKeys('cookies')).toEqual([...after.derivedKeys('cookies'), ...before.derivedKeys('cookies')])
  })
})

describe('derived keys', () => {
  const secrets = createSecrets([OLD])

  test('are 32 bytes, the same each time, and another one for each label', () => {
    const labels = ['seal', 'cookies', 'csrf', 'user-code', 'refresh-successor', 'dpop-nonce'] as const
    const keys = labels.map((label) => secrets.derivedKeys(label)[0]?.toString('hex'))
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set([...keys, OLD.toString('hex')]).size).toBe(labels.length + 1)
    expect(createSecrets([OLD]).derivedKeys('cookies')).toEqual(secrets.derivedKeys('cookies'))
  })

  test('make digests that tell labels and values apart', () => {
    const digests = [
      secrets.keyedDigest('csrf', 'a'),
      secrets.keyedDigest('csrf', 'b'),
      secrets.keyedDigest('user-code', 'a'),
    ]
    expect(new Set(digests).size).toBe(3)
    expect(secrets.keyedDigest('csrf', 'a')).toBe(digests[0])
    expect(createSecrets([NEW]).keyedDigest('csrf', 'a')).not.toBe(digests[0])
  })
})

test('a digest is SHA-256 in base64url', () => {
  expect(digest('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
})

test('a token has 256 bits, in 43 letters that a URL can carry, and never comes twice', () => {
  const tokens = Array.from({ length: 100 }, randomToken)
  for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/)
  expect(new Set(tokens).size).toBe(100)
})

test.each([
  ['secret', 'secret', true],
  ['secret', 'Secret', false],
  ['secret', 'secre', false],
  ['', '', true],
  ['é', 'e', false],
])('%j and %j: equal is %s', (left, right, equal) => {
  expect(equalSecrets(left, right)).toBe(equal)
})
