/** The keys that are not gone, put in order: which stand in a line, which a server loads and how it publishes them. */
import { digest } from '#core/secrets.ts'
import { AppError } from '#platform/errors.ts'
import { algorithmRank, isSigningAlgorithm, SIGNING_ALGORITHMS, type SigningAlgorithm } from './algorithms.ts'
import { keyState, publishedKeys, type KeyState } from './key-state.ts'
import type { StoredKey } from './store.ts'
import type { Line } from './succession.ts'

/** By algorithm, oldest first. */
export function byLine(a: StoredKey, b: StoredKey): number {
  return algorithmRank(a.alg) - algorithmRank(b.alg) || a.alg.localeCompare(b.alg) || a.sequence - b.sequence
}

export function lineOf<Key extends StoredKey>(live: readonly Key[], alg: string): Line<Key> {
  return live.filter((key) => key.alg === alg).toSorted((a, b) => a.sequence - b.sequence)
}

/** The algorithms to rotate: the one asked for, or all that have a key. @throws AppError(not_found) */
export function inUse(live: readonly StoredKey[], wanted: SigningAlgorithm | undefined): readonly SigningAlgorithm[] {
  const algorithms = SIGNING_ALGORITHMS.filter((alg) => live.some((key) => key.alg === alg))
  if (wanted === undefined ? algorithms.length > 0 : algorithms.includes(wanted)) return wanted ? [wanted] : algorithms
  throw wanted
    ? new AppError('not_found', `There is no ${wanted} key to take over from.`, {
        hint: 'The first one is made when a client is registered that asks for the algorithm, or imported.',
      })
    : new AppError('not_found', 'There are no signing keys yet.', {
        hint: 'The server makes the first keys when it starts.',
      })
}

/** @throws AppError(conflict) for an algorithm that only a newer release knows */
export function known(alg: string): SigningAlgorithm {
  if (isSigningAlgorithm(alg)) return alg
  throw new AppError('conflict', `This release cannot make a key for ${alg}, so nothing was changed.`, {
    hint: 'Use the release that made the key.',
  })
}

export function notHere(kid: string): AppError {
  return new AppError('not_found', `There is no live key ${JSON.stringify(kid)}.`, {
    hint: 'latchkey key list shows all of them; give a kid that starts with a dash behind --.',
  })
}

/** What a server loads: the published keys, then the retired ones, newest first. */
export function loadable<Key extends StoredKey>(keys: readonly Key[], now: number): Key[] {
  const retired = keys.filter((key) => keyState(key, now) === 'retired')
  return [...publishedKeys(keys, now), ...retired.toSorted((a, b) => b.sequence - a.sequence || byLine(a, b))]
}

export function versionOf(keys: readonly StoredKey[], now: number): string {
  return digest(keys.map((key) => `${key.kid} ${keyState(key, now)}`).join('\n'))
}

/** A key that only verifies any more does without its certificate: many of them have to fit into one JWKS. */
export function asPublished<Jwk extends { x5c?: string[] }>(jwk: Jwk, state: KeyState): Jwk {
  if (state === 'current' || state === 'next') return jwk
  const bare = { ...jwk }
  delete bare.x5c
  return bare
}
