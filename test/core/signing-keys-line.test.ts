import { describe, expect, test } from 'vitest'
import { CLOCK_TOLERANCE_SECONDS, endAt, keyState } from '#core/signing-keys/key-state.ts'
import { follow, takeOver, withdraw } from '#core/signing-keys/succession.ts'

const NOW = 1_800_000_000
const HOUR = 3_600

describe('a line of keys', () => {
  const lives = { publishAheadSeconds: HOUR, tokenSeconds: 600, hintSeconds: 86_400 }
  const endless = { retiresAt: undefined, unpublishedAt: undefined, goneAt: undefined }
  const current = { kid: 'a', sequence: 1, activatesAt: NOW - 1_000_000, ...endless }
  const ahead = NOW + HOUR
  const ending = { ...current, ...endAt(ahead, lives) }
  const next = { kid: 'b', sequence: 2, activatesAt: ahead, ...endless }
  const afterNext = { kid: 'c', sequence: 3, activatesAt: ahead + 5, ...endless }
  const gone = { retiresAt: NOW, unpublishedAt: NOW, goneAt: NOW }

  test('lets a new key wait until every cached JWKS has it, and the old one stay while its tokens are looked at', () => {
    expect(follow([current], NOW, lives)).toEqual({ changes: [{ before: current, after: ending }], activatesAt: ahead })
    expect(ending).toMatchObject({
      retiresAt: ahead,
      unpublishedAt: ahead + 600 + CLOCK_TOLERANCE_SECONDS + HOUR,
      goneAt: ahead + 86_400 + CLOCK_TOLERANCE_SECONDS + HOUR,
    })
  })

  test('queues a key behind one that is still waiting', () => {
    expect(follow([ending, next], NOW, lives).activatesAt).toBe(ahead + 1)
  })

  test('lets the first key of an algorithm sign at once', () => {
    expect(follow([], NOW, lives)).toEqual({ changes: [], activatesAt: NOW })
    expect(takeOver([], NOW, lives)).toEqual({ changes: [], activatesAt: NOW })
  })

  test('lets a key take over at once: the current one retires, the waiting one never signs', () => {
    expect(takeOver([ending, next], NOW, lives)).toEqual({
      changes: [
        { before: ending, after: { ...current, ...endAt(NOW, lives) } },
        { before: next, after: { ...next, ...gone } },
      ],
      activatesAt: NOW,
    })
  })

  test('without its current key goes on with the waiting one at once', () => {
    expect(withdraw([ending, next], 'a', NOW, lives)).toEqual({
      changes: [
        { before: ending, after: { ...ending, ...gone } },
        { before: next, after: { ...next, activatesAt: NOW } },
      ],
      activatesAt: undefined,
    })
  })

  test('without its only key needs a fresh one at once', () => {
    expect(withdraw([current], 'a', NOW, lives)).toMatchObject({ activatesAt: NOW })
  })

  test('without the waiting key goes on with the current one, until the one after it or for good', () => {
    const ended = { ...next, ...endAt(afterNext.activatesAt, lives) }
    expect(withdraw([ending, next], 'b', NOW, lives).changes[0]?.after).toEqual(current)
    expect(withdraw([ending, ended, afterNext], 'b', NOW, lives).changes[0]?.after).toEqual({
      ...current,
      ...endAt(afterNext.activatesAt, lives),
    })
  })

  test('without a key that only verifies stays as it is', () => {
    const retiring = { ...current, ...endAt(NOW - 10, lives) }
    const signing = { ...next, activatesAt: NOW - 10 }
    expect(withdraw([retiring, signing], 'a', NOW, lives)).toEqual({
      changes: [{ before: retiring, after: { ...retiring, ...gone } }],
      activatesAt: undefined,
    })
  })

  test('rotated every minute for a day keeps within bounds', () => {
    const fast = { publishAheadSeconds: 300, tokenSeconds: 300, hintSeconds: 7 * 86_400 }
    let line = [{ ...current, activatesAt: NOW }]
    let published = 0
    for (let now = NOW; now < NOW + 86_400; now += 60) {
      const { changes, activatesAt = now } = follow(line, now, fast)
      const after = new Map(changes.map((change) => [change.before.kid, change.after]))
      const sequence = (line.at(-1)?.sequence ?? 0) + 1
      line = [
        ...line.map((key) => after.get(key.kid) ?? key),
        { kid: String(sequence), sequence, activatesAt, ...endless },
      ].filter((key) => keyState(key, now) !== 'gone')
      published = Math.max(published, line.filter((key) => keyState(key, now) !== 'retired').length)
    }
    expect(published).toBeLessThan(20)
    expect(line.length).toBeLessThan(60)
  })
})
