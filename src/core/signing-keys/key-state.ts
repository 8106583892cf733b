/**
 * The life of a signing key, as pure rules over its times: next → current → retiring → gone.
 *
 * Two promises make a rotation that no verifier notices. A key is published for `publishAheadSeconds` before it signs,
 * so that whoever holds a copy of the JWKS no older than that has it already. And it stays published after it stopped
 * signing for as long as anything that it signed is looked at. Nothing has to happen at the moment of a change: every
 * host reads the same times and its own clock.
 */
import { algorithmRank } from './algorithms.ts'

export type KeyState = 'next' | 'current' | 'retiring' | 'gone'

/** Seconds since the epoch. The newest key of an algorithm has no end yet. */
export interface KeyTimes {
  readonly activatesAt: number
  readonly retiresAt: number | undefined
  readonly goneAt: number | undefined
}

/** What the clocks of hosts and verifiers may differ by, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 60

/**
 * No more than this many published keys of one algorithm. Some verifiers refuse a large JWKS (Nimbus reads 50 KiB);
 * with three algorithms and their certificates this many take about 40.
 */
export const MAX_PUBLISHED_KEYS = 16

/** Which part of its life a key is in at `now`. */
export function keyState({ activatesAt, retiresAt, goneAt }: KeyTimes, now: number): KeyState {
  if (goneAt !== undefined && goneAt <= now) return 'gone'
  if (retiresAt !== undefined && retiresAt <= now) return 'retiring'
  return activatesAt <= now ? 'current' : 'next'
}

const PUBLISHED: readonly KeyState[] = ['current', 'next', 'retiring']

/**
 * The keys of the JWKS at `now`, in its order: the current ones come first, since a signer takes the first key of an
 * algorithm; gone ones are left out.
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

export interface RotationTimes {
  readonly activatesAt: number
  readonly predecessorRetiresAt: number
  readonly predecessorGoneAt: number
}

/**
 * When a key that is made at `now` begins to sign, and when the one before it ends. A rotation during which the
 * predecessor is still waiting queues behind it, by one second at least, so that no key is ever skipped.
 * @param longestUseSeconds how long after its signature the youngest token of a key may still be verified
 */
export function rotationTimes(
  now: number,
  publishAheadSeconds: number,
  longestUseSeconds: number,
  predecessor: Pick<KeyTimes, 'activatesAt'>,
): RotationTimes {
  const activatesAt = Math.max(now + publishAheadSeconds, predecessor.activatesAt + 1)
  return {
    activatesAt,
    predecessorRetiresAt: activatesAt,
    // once more the lead: a host that learned of the rotation late may have signed that much longer
    predecessorGoneAt: activatesAt + longestUseSeconds + CLOCK_TOLERANCE_SECONDS + publishAheadSeconds,
  }
}
