import { keyState, type KeyState, type KeyTimes } from './key-state.ts'
import type { KeyChange, StoredKey } from './store.ts'
import type { Line } from './succession.ts'

/** A key as people see it; its private half is nowhere in it. */
export interface SigningKey extends KeyTimes {
  readonly kid: string
  readonly alg: string
  readonly state: KeyState
  readonly createdAt: number
}

export interface Retirement {
  readonly key: SigningKey
  /** What signs its algorithm now. */
  readonly current: SigningKey
}

export function signingKey({ kid, alg, createdAt, ...times }: StoredKey, now: number): SigningKey {
  const { activatesAt, retiresAt, unpublishedAt, goneAt } = times
  return { kid, alg, state: keyState(times, now), createdAt, activatesAt, retiresAt, unpublishedAt, goneAt }
}

/** The line after a key was taken out of it. */
export function retirement<Key extends StoredKey>(
  line: Line<Key>,
  changes: readonly KeyChange[],
  added: readonly Key[],
  now: number,
): Retirement {
  const after = new Map(changes.map((change) => [change.before.kid, change.after]))
  const keys = [...line.map((key) => after.get(key.kid) ?? key), ...added].map((key) => signingKey(key, now))
  const key = keys.find((one) => one.state === 'gone')
  const current = keys.find((one) => one.state === 'current')
  if (!key || !current) throw new Error('a line of keys is left without one that signs')
  return { key, current }
}
