/**
 * The life of a signing key, as pure rules over its times: next → current → retiring → retired → gone.
 *
 * Two promises make a rotation that no verifier notices. A key is published for `publishAheadSeconds` before it signs,
 * so that whoever holds a copy of the JWKS no older than that has it already. And it stays published after it stopped
 * signing for as long as a token that it signed is valid. After that the JWKS does without it, and only this server
 * still knows it, for an expired ID token that comes back as the hint of a sign-out. Nothing has to happen at the
 * moment of a change: every host reads the same times and its own clock.
 */
import { algorithmRank } from './algorithms.ts'

export type KeyState = 'next' | 'current' | 'retiring' | 'retired' | 'gone'

/** Seconds since the epoch. The newest key of an algorithm has no end yet. */
export interface KeyTimes {
  readonly activatesAt: number
  readonly retiresAt: number | undefined
  /** Keys of the first releases have none: they are published until they are gone. */
  readonly unpublishedAt: number | undefined
  readonly goneAt: number | undefined
}

/** What the clocks of hosts and verifiers may differ by, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 60

/** Some verifiers refuse a larger JWKS: Nimbus, in Spring, reads 50 KiB. */
export const MAX_JWKS_BYTES = 48 * 1024

/** So many retired keys of one algorithm are kept for hints; older ones are forgotten at the next rotation. */
export const MAX_RETIRED_KEYS = 32

/** Which part of its life a key is in at `now`. */
export function keyState({ activatesAt, retiresAt, unpublishedAt, goneAt }: KeyTimes, now: number): KeyState {
  if (goneAt !== undefined && goneAt <= now) return 'gone'
  if (unpublishedAt !== undefined && unpublishedAt <= now) return 'retired'
  if (retiresAt !== undefined && retiresAt <= now) return 'retiring'
  return activatesAt <= now ? 'current' : 'next'
}

const PUBLISHED: readonly KeyState[] = ['current', 'next', 'retiring']

/**
 * The keys of the JWKS at `now`, in its order: the current ones come first, since a signer takes the first key of an
 * algorithm; retired and gone ones are left out.
 */
export function publishedKeys<Key extends KeyTimes & { readonly alg: string; readonly sequence: number }>(
  keys: readonly Key[],
  now: number,
): Key[] {
  const place = (key: Key): number => PUBLISHED.indexOf(keyState(key, now))
  return keys
    .filter((key) => place(key) >= 0)
    .toSorted((a, b) => place(a) - place(b) || algorithmRank(a.alg) - algorithmRank(b.alg) || a.sequence - b.sequence)
}

/** How long a key is looked at, in seconds. */
export interface KeyLives {
  /** How long before it signs it is published. */
  readonly publishAheadSeconds: number
  /** The longest life of a token that it signs. */
  readonly tokenSeconds: number
  /** How long after its signature an ID token may come back as a hint, expired or not. */
  readonly hintSeconds: number
}

export type KeyEnd = Required<Pick<KeyTimes, 'retiresAt' | 'unpublishedAt' | 'goneAt'>>

/** The end of a key whose successor begins to sign at `retiresAt`. */
export function endAt(retiresAt: number, { publishAheadSeconds, tokenSeconds, hintSeconds }: KeyLives): KeyEnd {
  // once more the lead: a host that learned of the rotation late may have signed that much longer
  const margin = CLOCK_TOLERANCE_SECONDS + publishAheadSeconds
  return {
    retiresAt,
    unpublishedAt: retiresAt + tokenSeconds + margin,
    goneAt: retiresAt + Math.max(tokenSeconds, hintSeconds) + margin,
  }
}
