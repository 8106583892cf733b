/**
 * What becomes of the keys of one algorithm when one is added or taken away, as pure rules. The keys form a line: each
 * signs from its time until the next one's, and the newest has no end. Whatever happens, exactly one signs at any time.
 */
import { endAt, keyState, MAX_RETIRED_KEYS, type KeyLives, type KeyTimes } from './key-state.ts'

export interface LineKey extends KeyTimes {
  readonly kid: string
  readonly sequence: number
}

/** Keys of one algorithm that are not gone, oldest first. */
export type Line<Key extends LineKey> = readonly Key[]

export interface Succession<Key extends LineKey> {
  /** Keys whose times change. */
  readonly changes: readonly { readonly before: Key; readonly after: Key }[]
  /** When the added key begins to sign; undefined where no key is needed. */
  readonly activatesAt: number | undefined
}

/**
 * A key is published at `now` and signs once every cached JWKS has it; behind a key that still waits it queues, by one
 * second at least, so that none is skipped. The first key of an algorithm signs at once: nobody has a JWKS for it.
 */
export function follow<Key extends LineKey>(line: Line<Key>, now: number, lives: KeyLives): Succession<Key> {
  const newest = line.at(-1)
  if (!newest) return { changes: [], activatesAt: now }
  const activatesAt = Math.max(now + lives.publishAheadSeconds, newest.activatesAt + 1)
  return { changes: [...forgotten(line, now), changed(newest, endAt(activatesAt, lives))], activatesAt }
}

/** A key signs from `now`, unannounced. The current one retires, and keys that still waited never sign. */
export function takeOver<Key extends LineKey>(line: Line<Key>, now: number, lives: KeyLives): Succession<Key> {
  const changes = line.flatMap((key) => {
    const state = keyState(key, now)
    if (state === 'next') return [changed(key, goneNow(now))]
    return state === 'current' ? [changed(key, endAt(now, lives))] : []
  })
  return { changes: [...forgotten(line, now), ...changes], activatesAt: now }
}

/**
 * A key is gone at `now`, whatever it signed. If it signs, the one that waits behind it signs at once, or a fresh one;
 * if it waits, the one before it signs on.
 */
export function withdraw<Key extends LineKey>(
  line: Line<Key>,
  kid: string,
  now: number,
  lives: KeyLives,
): Succession<Key> {
  const place = line.findIndex((key) => key.kid === kid)
  const key = line[place]
  if (!key) return { changes: [], activatesAt: undefined }
  const [before, after] = [place === 0 ? undefined : line[place - 1], line[place + 1]]
  const gone = changed(key, goneNow(now))
  const state = keyState(key, now)
  if (state === 'current') {
    return after
      ? { changes: [gone, changed(after, { activatesAt: now })], activatesAt: undefined }
      : { changes: [gone], activatesAt: now }
  }
  if (state !== 'next' || !before) return { changes: [gone], activatesAt: undefined }
  const end = after ? endAt(after.activatesAt, lives) : ENDLESS
  return { changes: [changed(before, end), gone], activatesAt: undefined }
}

const ENDLESS = { retiresAt: undefined, unpublishedAt: undefined, goneAt: undefined }

function goneNow(now: number) {
  return { retiresAt: now, unpublishedAt: now, goneAt: now }
}

/** Rotating often would otherwise heap up keys that only an old hint could need. */
function forgotten<Key extends LineKey>(line: Line<Key>, now: number) {
  const retired = line.filter((key) => keyState(key, now) === 'retired')
  return retired.slice(0, Math.max(0, retired.length - MAX_RETIRED_KEYS)).map((key) => changed(key, { goneAt: now }))
}

function changed<Key extends LineKey>(before: Key, times: Partial<KeyTimes>): { before: Key; after: Key } {
  return { before, after: { ...before, ...times } }
}
