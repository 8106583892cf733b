/**
 * The keys that sign tokens. They live in the database with their private halves sealed, so that every host signs with
 * the same ones; what state a key is in follows from its times (key-state.ts), so that every host changes over by its
 * clock alone. A running server asks for `version` now and then and loads the keys again when it differs.
 */
import { digest, type SealedPlace, type Secrets } from '#core/secrets.ts'
import type { Clock } from '#platform/clock.ts'
import { AppError } from '#platform/errors.ts'
import { algorithmRank, SIGNING_ALGORITHMS, type SigningAlgorithm } from './algorithms.ts'
import { generateSigningKey, type GeneratedKey } from './generate.ts'
import {
  keyState,
  MAX_PUBLISHED_KEYS,
  publishedKeys,
  rotationTimes,
  type KeyState,
  type KeyTimes,
} from './key-state.ts'
import { privateJwk, type PrivateJwk } from './private-jwk.ts'
import type { NewKey, SealedKey, SigningKeyStore, StoredKey, Succession } from './store.ts'

/** A key as people see it; its private half is nowhere in it. */
export interface SigningKey extends KeyTimes {
  readonly kid: string
  readonly alg: string
  readonly state: KeyState
  readonly createdAt: number
}

export interface Rotation {
  readonly key: SigningKey
  /** The key it takes over from. */
  readonly predecessor: SigningKey
}

export interface PublishedKeys {
  readonly version: string
  /** In the order of the JWKS: a signer takes the first one of its algorithm. */
  readonly keys: readonly PrivateJwk[]
}

export interface SigningKeys {
  /** Makes the first key of every algorithm that has none. Of several that call it at once one makes each key. */
  ensure(algorithms?: readonly SigningAlgorithm[]): Promise<void>
  /** Every key there ever was, by algorithm, oldest first. */
  list(): Promise<SigningKey[]>
  /**
   * Publishes a new key of the algorithm, or of every algorithm in use: it signs once every cached JWKS has it. Of two
   * rotations at the same moment one happens.
   * @throws AppError(conflict) for the other, and when as many keys are published as verifiers can be asked to read;
   * AppError(not_found) where there is no key to take over from; AppError(configuration) under a foreign master key
   */
  rotate(algorithm?: SigningAlgorithm): Promise<Rotation[]>
  /** Differs from an earlier answer exactly when the published keys or their order differ. Reads no private key. */
  version(): Promise<string>
  /** @throws AppError(configuration) if the keys were sealed with a master key that is not here */
  load(): Promise<PublishedKeys>
  /** Forgets the private halves of keys that are gone, and tells how many. */
  wipeGone(): Promise<number>
}

export interface SigningKeyNeeds {
  readonly store: SigningKeyStore
  readonly secrets: Secrets
  readonly clock: Clock
  /** Times in seconds. */
  readonly settings: {
    readonly keys: { readonly publishAheadSeconds: number }
    readonly tokens: { readonly accessSeconds: number; readonly idSeconds: number }
    readonly session: { readonly absoluteSeconds: number }
  }
}

export function createSigningKeys({ store, secrets, clock, settings }: SigningKeyNeeds): SigningKeys {
  const { publishAheadSeconds } = settings.keys
  // an ID token is shown again as the hint of a logout, expired or not, for as long as its session may last
  // (OpenID Connect RP-Initiated Logout 1.0 §2)
  const longestUseSeconds = Math.max(
    settings.tokens.accessSeconds,
    settings.tokens.idSeconds,
    settings.session.absoluteSeconds,
  )

  const sealed = (key: GeneratedKey, times: Pick<NewKey, 'sequence' | 'createdAt' | 'activatesAt'>): NewKey => ({
    kid: key.kid,
    alg: key.alg,
    publicJwk: JSON.stringify(key.publicJwk),
    sealedPrivateJwk: secrets.seal(placeOf(key.kid), JSON.stringify(key.privateJwk)),
    retiresAt: undefined,
    goneAt: undefined,
    ...times,
  })
  const opened = ({ kid, sealedPrivateJwk }: SealedKey): PrivateJwk =>
    privateJwk.parse(JSON.parse(secrets.open(placeOf(kid), sealedPrivateJwk)))

  const succession = (predecessor: StoredKey, key: GeneratedKey, now: number): Succession => {
    const times = rotationTimes(now, publishAheadSeconds, longestUseSeconds, predecessor)
    return {
      predecessor: { kid: predecessor.kid, retiresAt: times.predecessorRetiresAt, goneAt: times.predecessorGoneAt },
      successor: sealed(key, { sequence: predecessor.sequence + 1, createdAt: now, activatesAt: times.activatesAt }),
    }
  }

  return {
    async ensure(algorithms = SIGNING_ALGORITHMS) {
      const known = await store.list()
      const missing = algorithms.filter((alg) => known.every((key) => key.alg !== alg))
      await Promise.all(
        missing.map(async (alg) => {
          const key = await generateSigningKey(alg, clock.now())
          const now = clock.now()
          await store.insertOnce(sealed(key, { sequence: 1, createdAt: now, activatesAt: now }))
        }),
      )
    },

    async list() {
      const now = clock.now()
      const keys = await store.list()
      return keys
        .toSorted((a, b) => algorithmRank(a.alg) - algorithmRank(b.alg) || a.sequence - b.sequence)
        .map((key) => signingKey(key, now))
    },

    async rotate(algorithm) {
      const live = await store.listSealed(clock.now())
      const predecessors = inUse(live, algorithm).map((alg) => newestThatMayRotate(live, alg))
      // proves that the master key in use is the one that the running server opens keys with
      for (const { key } of predecessors) opened(key)
      const generated = await Promise.all(
        predecessors.map(async ({ alg, key }) => ({
          predecessor: key,
          key: await generateSigningKey(alg, clock.now()),
        })),
      )
      const now = clock.now()
      const rotations = generated.map(({ predecessor, key }) => ({
        old: predecessor,
        ...succession(predecessor, key, now),
      }))
      await store.succeed(rotations)
      return rotations.map(({ old, predecessor, successor }) => ({
        key: signingKey(successor, now),
        predecessor: signingKey({ ...old, ...predecessor }, now),
      }))
    },

    async version() {
      const now = clock.now()
      return versionOf(publishedKeys(await store.listLive(now), now))
    },

    async load() {
      const now = clock.now()
      const keys = publishedKeys(await store.listSealed(now), now)
      return { version: versionOf(keys), keys: keys.map(opened) }
    },

    wipeGone: () => store.wipeGone(clock.now()),
  }
}

/** The algorithms to rotate: the one asked for, or all that have a key. */
function inUse(live: readonly StoredKey[], wanted: SigningAlgorithm | undefined): readonly SigningAlgorithm[] {
  const algorithms = SIGNING_ALGORITHMS.filter((alg) => live.some((key) => key.alg === alg))
  if (wanted === undefined ? algorithms.length > 0 : algorithms.includes(wanted)) return wanted ? [wanted] : algorithms
  throw new AppError(
    'not_found',
    wanted ? `There is no ${wanted} key to take over from.` : 'There are no signing keys yet.',
    {
      hint: 'The server makes the first keys when it starts.',
    },
  )
}

function newestThatMayRotate(
  live: readonly SealedKey[],
  alg: SigningAlgorithm,
): { alg: SigningAlgorithm; key: SealedKey } {
  const keys = live.filter((key) => key.alg === alg).toSorted((a, b) => b.sequence - a.sequence)
  const [key] = keys
  if (!key) throw new Error(`no ${alg} key among the live ones`)
  if (keys.length < MAX_PUBLISHED_KEYS) return { alg, key }
  const roomAt = Math.min(...keys.flatMap(({ goneAt }) => goneAt ?? []))
  throw new AppError(
    'conflict',
    `${keys.length} keys of ${alg} are published; more could make the JWKS too large for verifiers.`,
    {
      hint: `The oldest leaves on ${new Date(roomAt * 1000).toUTCString()}; rotate again after that.`,
    },
  )
}

function signingKey({ kid, alg, createdAt, activatesAt, retiresAt, goneAt }: StoredKey, now: number): SigningKey {
  return {
    kid,
    alg,
    state: keyState({ activatesAt, retiresAt, goneAt }, now),
    createdAt,
    activatesAt,
    retiresAt,
    goneAt,
  }
}

function versionOf(keys: readonly StoredKey[]): string {
  return digest(keys.map(({ kid }) => kid).join(' '))
}

function placeOf(kid: string): SealedPlace {
  return { table: 'signing_keys', column: 'sealed_private_jwk', row: kid }
}
