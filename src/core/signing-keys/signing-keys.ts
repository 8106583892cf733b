/**
 * The keys that sign tokens. They live in the database with their private halves sealed, so that every host signs with
 * the same ones; what state a key is in follows from its times (key-state.ts), so that every host changes over by its
 * clock alone. A running server asks for `version` now and then and loads the keys again when it differs.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Recorder } from '#core/audit/audit.ts'
import { ADMINISTRATOR } from '#core/audit/event.ts'
import type { SealedPlace, Secrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import { FIRST_ALGORITHMS, type SigningAlgorithm } from './algorithms.ts'
import { generateSigningKey, type KeyMaterial } from './generate.ts'
import { importedKey } from './imported-key.ts'
import { mustFit } from './jwks-size.ts'
import { asPublished, byLine, inUse, known, lineOf, loadable, notHere, versionOf } from './key-ring.ts'
import { keyState, type KeyLives } from './key-state.ts'
import { privateJwk, type PrivateJwk } from './private-jwk.ts'
import { retirement, signingKey, type Retirement, type SigningKey } from './signing-key.ts'
import type { SealedKey, SigningKeyStore, StoredKey } from './store.ts'
import { follow, takeOver, withdraw } from './succession.ts'

export interface Rotation {
  readonly key: SigningKey
  /** The key it takes over from. */
  readonly predecessor: SigningKey
}

export interface Import {
  readonly key: SigningKey
  /** The keys whose times it changed: the one it takes over from, and those that will not sign any more. */
  readonly changed: readonly SigningKey[]
}

export interface KeyFile {
  /** PEM or JWK, see read-key.ts. */
  readonly text: string
  readonly alg?: SigningAlgorithm | undefined
  /** Sign with it at once instead of when every cached JWKS has it. */
  readonly current: boolean
}

export interface PublishedKeys {
  readonly version: string
  /** In the order of the JWKS: a signer takes the first one of its algorithm. Retired keys come last. */
  readonly keys: readonly PrivateJwk[]
  /** The retired ones among them: they verify hints and are not published. */
  readonly unpublished: ReadonlySet<string>
}

export interface SigningKeys {
  /** Makes the first key of every algorithm that has none. Of several that call it at once one makes each key. */
  ensure(algorithms?: readonly SigningAlgorithm[]): Promise<void>
  /** The same, and resolves once every running server signs with them. */
  enable(algorithms: readonly SigningAlgorithm[]): Promise<void>
  /** Every key there ever was, by algorithm, oldest first. */
  list(): Promise<SigningKey[]>
  /**
   * Publishes a new key of the algorithm, or of every algorithm in use: it signs once every cached JWKS has it. Of two
   * rotations at the same moment one happens.
   * @throws AppError(conflict) for the other, and when the JWKS would be larger than verifiers can be asked to read;
   * AppError(not_found) where there is no key to take over from; AppError(configuration) under a foreign master key
   */
  rotate(algorithm?: SigningAlgorithm): Promise<Rotation[]>
  /**
   * Takes a key that was made elsewhere into the line of its algorithm, as `rotate` does with a new one.
   * @throws AppError(invalid_input) for a file that holds no usable key; AppError(conflict) for a key that is or was
   * here, and as `rotate` does
   */
  import(file: KeyFile): Promise<Import>
  /**
   * The key leaves the JWKS now and its private half is forgotten; another one of its algorithm signs at once.
   * @throws AppError(not_found) for a key that is not here; AppError(conflict) as `rotate` does
   */
  retire(kid: string): Promise<Retirement>
  /** Differs from an earlier answer exactly when the loaded keys or their states differ. Reads no private key. */
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
  readonly audit: Recorder
  /** Times in seconds. */
  readonly settings: {
    readonly keys: { readonly publishAheadSeconds: number }
    readonly tokens: { readonly accessSeconds: number; readonly idSeconds: number }
    readonly session: { readonly absoluteSeconds: number }
  }
  /** The longest life that anybody but the settings gives to a token, in seconds. */
  readonly longestTokenSeconds?: () => Promise<number>
}

/** Within this time every running server has looked for changed keys: it does so twice a second. */
const NOTICED_WITHIN_MS = 1_000

export function createSigningKeys({
  store,
  secrets,
  clock,
  audit,
  settings,
  longestTokenSeconds = async () => 0,
}: SigningKeyNeeds): SigningKeys {
  const keyLives = async (): Promise<KeyLives> => ({
    publishAheadSeconds: settings.keys.publishAheadSeconds,
    tokenSeconds: Math.max(settings.tokens.accessSeconds, settings.tokens.idSeconds, await longestTokenSeconds()),
    // an ID token is shown again as the hint of a logout, expired or not, for as long as its session may last
    // (OpenID Connect RP-Initiated Logout 1.0 §2)
    hintSeconds: settings.session.absoluteSeconds,
  })

  const sealed = (key: KeyMaterial, place: Pick<StoredKey, 'sequence' | 'createdAt' | 'activatesAt'>): SealedKey => ({
    kid: key.kid,
    alg: key.alg,
    publicJwk: JSON.stringify(key.publicJwk),
    sealedPrivateJwk: secrets.seal(placeOf(key.kid), JSON.stringify(key.privateJwk)),
    retiresAt: undefined,
    unpublishedAt: undefined,
    goneAt: undefined,
    ...place,
  })
  const opened = ({ kid, sealedPrivateJwk }: SealedKey): PrivateJwk =>
    privateJwk.parse(JSON.parse(secrets.open(placeOf(kid), sealedPrivateJwk)))

  /** The live keys, after proof that the master key in use is the one that running servers open keys with. */
  const liveKeys = async (): Promise<SealedKey[]> => {
    const live = await store.listSealed(clock.now())
    for (const [key] of Map.groupBy(live, ({ alg }) => alg).values()) if (key) opened(key)
    return live
  }

  const recordAdded = async (transaction: Kysely<Tables>, added: readonly SealedKey[]): Promise<void> => {
    for (const { kid, alg, activatesAt } of added) {
      const facts = { kid, alg, activates_at: activatesAt }
      await audit.record({ type: 'signing_key.created', by: ADMINISTRATOR, facts }, transaction)
    }
  }

  /** Adds the keys to their lines by the rule, all or none. */
  const add = async (keys: readonly KeyMaterial[], live: readonly SealedKey[], rule: typeof follow<SealedKey>) => {
    const [lives, last] = [await keyLives(), await lastSequences()]
    const now = clock.now()
    const steps = keys.map((key) => {
      const { changes, activatesAt = now } = rule(lineOf(live, key.alg), now, lives)
      return { changes, added: sealed(key, { sequence: (last.get(key.alg) ?? 0) + 1, createdAt: now, activatesAt }) }
    })
    const added = steps.map((step) => step.added)
    mustFit([...live.filter((key) => keyState(key, now) !== 'retired'), ...added], now)
    await store.change(
      steps.flatMap(({ changes }) => changes),
      added,
      now,
      (transaction) => recordAdded(transaction, added),
    )
    return steps.map((step) => ({
      key: signingKey(step.added, now),
      changed: step.changes.map(({ after }) => signingKey(after, now)),
    }))
  }

  const lastSequences = async (): Promise<ReadonlyMap<string, number>> => {
    const byAlg = Map.groupBy(await store.list(), ({ alg }) => alg)
    return new Map([...byAlg].map(([alg, keys]) => [alg, Math.max(...keys.map(({ sequence }) => sequence))]))
  }

  const ensure: SigningKeys['ensure'] = async (algorithms = FIRST_ALGORITHMS) => {
    const known = await store.list()
    const missing = algorithms.filter((alg) => known.every((key) => key.alg !== alg))
    await Promise.all(
      missing.map(async (alg) => {
        const key = await generateSigningKey(alg, clock.now())
        const now = clock.now()
        await store.insertOnce(sealed(key, { sequence: 1, createdAt: now, activatesAt: now }))
      }),
    )
  }

  return {
    ensure,

    async enable(algorithms) {
      // a server makes the first ones before it serves
      const later = algorithms.filter((alg) => !FIRST_ALGORITHMS.includes(alg))
      if (later.length === 0) return
      await ensure(later)
      const firstKeys = (await store.list()).filter(
        ({ alg, sequence }) => sequence === 1 && later.some((one) => one === alg),
      )
      // somebody else may have made them a moment ago; one second more, since the clock counts whole ones
      const justMade = clock.now() - 1
      if (firstKeys.some(({ createdAt }) => createdAt >= justMade)) await sleep(NOTICED_WITHIN_MS)
    },

    async list() {
      const now = clock.now()
      return (await store.list()).toSorted(byLine).map((key) => signingKey(key, now))
    },

    async rotate(algorithm) {
      const live = await liveKeys()
      const algorithms = inUse(live, algorithm)
      const keys = await Promise.all(algorithms.map((alg) => generateSigningKey(alg, clock.now())))
      return (await add(keys, live, follow)).flatMap(({ key, changed }) => {
        const predecessor = changed.at(-1)
        return predecessor ? [{ key, predecessor }] : []
      })
    },

    async import({ text, alg, current }) {
      const live = await liveKeys()
      const key = await importedKey(text, alg, await store.listPublic(), clock.now())
      const [step] = await add([key], live, current ? takeOver : follow)
      if (!step) throw new Error('a key was added, and no step came of it')
      return step
    },

    async retire(kid) {
      const live = await liveKeys()
      const key = live.find((one) => one.kid === kid)
      if (!key) throw notHere(kid)
      const lives = await keyLives()
      const now = clock.now()
      const line = lineOf(live, key.alg)
      const { changes, activatesAt } = withdraw(line, kid, now, lives)
      const sequence = ((await lastSequences()).get(key.alg) ?? 0) + 1
      const added =
        activatesAt === undefined
          ? []
          : [sealed(await generateSigningKey(known(key.alg), now), { sequence, createdAt: now, activatesAt })]
      await store.change(changes, added, now, async (transaction) => {
        await audit.record(
          { type: 'signing_key.retired', by: ADMINISTRATOR, facts: { kid, alg: key.alg } },
          transaction,
        )
        await recordAdded(transaction, added)
      })
      return retirement(line, changes, added, now)
    },

    async version() {
      const now = clock.now()
      return versionOf(loadable(await store.listLive(now), now), now)
    },

    async load() {
      const now = clock.now()
      const keys = loadable(await store.listSealed(now), now)
      return {
        version: versionOf(keys, now),
        keys: keys.map((key) => asPublished(opened(key), keyState(key, now))),
        unpublished: new Set(keys.filter((key) => keyState(key, now) === 'retired').map(({ kid }) => kid)),
      }
    },

    wipeGone: () => store.wipeGone(clock.now()),
  }
}

function placeOf(kid: string): SealedPlace {
  return { table: 'signing_keys', column: 'sealed_private_jwk', row: kid }
}
