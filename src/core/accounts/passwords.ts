/**
 * Hashing of passwords: argon2id in a bounded number of slots. A hash costs about 20 ms and 19 MiB and occupies a
 * thread of libuv, so a flood of sign-ins may only fill these slots and their queue: files, DNS and the rest of the
 * server keep a thread of their own. Hashes that people bring from other systems cost more and go through the same slots
 * until a sign-in has replaced them. What a new password must be like is said in password-rules.ts.
 */
import { SpanKind } from '@opentelemetry/api'
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { argon2id, hash as argon2Hash, needsRehash as argon2NeedsRehash } from 'argon2'
import { AppError } from '#platform/errors.ts'
import { inSpan } from '#platform/spans.ts'
import { isPasswordOf } from './password-check.ts'
import { canonicalPassword, isTooLong } from './password-rules.ts'
import { createSlots, type Slots } from './slots.ts'

export interface Passwords {
  /** The hash to be stored. @throws AppError(unavailable) when too many passwords are being checked */
  hash(password: string): Promise<string>
  /**
   * Whether the password belongs to the hash, in any spelling of password-hash.ts. `undefined` is never right and costs
   * what one of our own hashes costs. A password that nobody can have, being too long, is wrong for every hash alike and
   * is not hashed. One that can be written in several forms is tried in the form that we hash and, since other systems
   * hash what is typed, as it was given.
   * @param admit asked when the password's turn has come; what it throws is thrown, and nothing was hashed
   * @throws AppError(unavailable) when too many passwords are being checked
   */
  verify(hash: string | undefined, password: string, admit?: () => Promise<void>): Promise<boolean>
  /** True for a hash of another system, or with other parameters than today's. */
  needsRehash(hash: string): boolean
  /** @throws AppError(unavailable) when too many passwords are being checked, before anything is read for one more */
  refuseWhenBusy: Slots['refuseWhenFull']
  /** Passwords that are being hashed, and that wait for their turn. */
  load: Slots['load']
}

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. */
const PARAMETERS = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const SALT_BYTES = 16
const HASH_BYTES = 32

/** libuv has four threads unless told otherwise; one always stays free. */
const MOST_SLOTS = 3
const QUEUE_PER_SLOT = 20
const RETRY_AFTER_SECONDS = 2

/**
 * @param slots hashes at once; by default one a core, at most three
 * @param queue how many may wait for a slot; by default twenty a slot, which is under a second of waiting
 * @param observe told how many seconds each hash took, without the wait
 */
export function createPasswords({
  slots = defaultSlots(),
  queue = QUEUE_PER_SLOT * slots,
  observe = () => {},
}: { slots?: number; queue?: number; observe?: (seconds: number) => void } = {}): Passwords {
  const bounded = createSlots({ slots, queue, refuse: busy })
  const nobody = hashOfNobody()

  const timed = <T>(run: () => Promise<T>): Promise<T> =>
    inSpan('password hash', { kind: SpanKind.INTERNAL }, async () => {
      const startedAt = performance.now()
      try {
        return await run()
      } finally {
        observe((performance.now() - startedAt) / 1_000)
      }
    })

  return {
    hash: (password) =>
      bounded.run(() =>
        timed(() => argon2Hash(canonicalPassword(password), { ...PARAMETERS, hashLength: HASH_BYTES })),
      ),

    async verify(hash, password, admit) {
      if (isTooLong(password)) return false
      const right = await bounded.run(async () => {
        await admit?.()
        for (const form of new Set([canonicalPassword(password), password]))
          if (await timed(() => isPasswordOf(hash ?? nobody, form))) return true
        return false
      })
      return right && hash !== undefined
    },

    needsRehash: (hash) => !hash.startsWith('$argon2id$') || argon2NeedsRehash(hash, PARAMETERS),
    refuseWhenBusy: bounded.refuseWhenFull,
    load: bounded.load,
  }
}

function defaultSlots(): number {
  return Math.min(availableParallelism(), MOST_SLOTS)
}

/** A well-formed hash that no password was hashed into: checking against it costs what checking any other costs. */
function hashOfNobody(): string {
  const { memoryCost, timeCost, parallelism } = PARAMETERS
  const text = (bytes: number): string => randomBytes(bytes).toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${text(SALT_BYTES)}$${text(HASH_BYTES)}`
}

function busy(): AppError {
  return new AppError('unavailable', 'Too many passwords are being checked at this moment.', {
    hint: 'Try again in a few seconds.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
}
