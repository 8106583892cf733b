/**
 * What is kept secret, and how. One master key (32 random bytes) stands in keys/master.key or MASTER_KEY; every other
 * key is derived from it, one label each (HKDF, RFC 5869). Bearer values at rest are digests; what must be read back
 * is sealed with AES-256-GCM, bound to its table, column and row, so that a sealed value moved elsewhere does not open.
 * Several master keys may be given, newest first, while one is being replaced: the newest seals, all open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  randomUUID,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto'
import { AppError } from '#platform/errors.ts'

/** Where a sealed value lives: it opens nowhere else. */
export interface SealedPlace {
  readonly table: string
  readonly column: string
  readonly row: string
}

/** One label for each use of the master key. A new use is a new label, never a second use of an old one. */
export type KeyLabel =
  | 'seal'
  | 'cookies'
  | 'csrf'
  | 'user-code'
  | 'refresh-successor'
  | 'session-grant'
  | 'dpop-nonce'
  | 'attempts'
  | 'known-browser'
  | 'stand-in'
  | 'audit-row'
  | 'audit-chain'
  | 'audit-mark'
  | 'audit-name'
  | 'doctor'

export interface Secrets {
  seal(place: SealedPlace, plaintext: string): string
  /** @throws AppError(configuration) if the value was sealed with a master key that is not here, or for another place */
  open(place: SealedPlace, sealed: string): string
  /** Keyed digest, base64url: for values too short to be digested without a key. */
  keyedDigest(label: KeyLabel, value: string): string
  /** 32 bytes, newest master key first. */
  derivedKeys(label: KeyLabel): readonly Buffer[]
}

export const MASTER_KEY_BYTES = 32
const SEAL_VERSION = 'v1'
const IV_BYTES = 12
const TAG_BYTES = 16
const MOST_KEPT = 500

/** @param masterKeys 32 bytes each, newest first, at least one */
export function createSecrets(masterKeys: readonly Buffer[]): Secrets {
  const derived = new Map<KeyLabel, readonly Buffer[]>()
  const derivedKeys = (label: KeyLabel): readonly Buffer[] => {
    const known = derived.get(label)
    if (known) return known
    const keys = masterKeys.map((master) => Buffer.from(hkdfSync('sha256', master, '', `latchkey/${label}`, 32)))
    derived.set(label, keys)
    return keys
  }
  const digesting = new Map<KeyLabel, KeyObject>()
  /** As OpenSSL wants it: made anew from its bytes for each digest, a key costs five times what the digest does. */
  const newest = (label: KeyLabel): KeyObject => {
    const known = digesting.get(label)
    if (known) return known
    const [bytes] = derivedKeys(label)
    if (!bytes) throw new Error('no master key was given')
    const key = createSecretKey(bytes)
    digesting.set(label, key)
    return key
  }

  // prepared once: a client's secret is opened on every request it makes
  const sealing = derivedKeys('seal').map((key) => ({ id: keyId(key), key: createSecretKey(key) }))
  const [newestSealing] = sealing
  if (!newestSealing) throw new Error('no master key was given')

  /** What was sealed or opened last: a session is read in each request that its tokens are used in, 35 µs a time. */
  const kept = new Map<string, { readonly place: SealedPlace; readonly plaintext: string }>()
  const keep = (place: SealedPlace, sealed: string, plaintext: string): void => {
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(sealed, { place, plaintext })
  }
  const unseal = (place: SealedPlace, sealed: string): string => {
    const [version, id, text] = sealed.split('.')
    const key = sealing.find((candidate) => candidate.id === id)?.key
    if (version !== SEAL_VERSION || text === undefined || !key) throw cannotOpen(place)
    const body = Buffer.from(text, 'base64url')
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, IV_BYTES))
      decipher.setAAD(boundTo(place)).setAuthTag(body.subarray(-TAG_BYTES))
      return decipher.update(body.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    } catch (cause) {
      throw cannotOpen(place, cause)
    }
  }

  return {
    seal(place, plaintext) {
      const { id, key } = newestSealing
      const iv = Buffer.from(randomHex(2 * IV_BYTES), 'hex')
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(boundTo(place))
      const body = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
      const sealed = `${SEAL_VERSION}.${id}.${body.toString('base64url')}`
      keep(place, sealed, plaintext)
      return sealed
    },

    open(place, sealed) {
      const known = kept.get(sealed)
      if (known && isSamePlace(known.place, place)) return known.plaintext
      const plaintext = unseal(place, sealed)
      keep(place, sealed, plaintext)
      return plaintext
    },

    keyedDigest: (label, value) => createHmac('sha256', newest(label)).update(value).digest('base64url'),
    derivedKeys,
  }
}

/** Unkeyed digest for values with at least 128 bits of randomness of their own, base64url. */
export function digest(value: string): string {
  return hash('sha256', value, 'base64url')
}

/** A fresh bearer value, 256 bits, base64url (43 characters). */
export function randomToken(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * At most 24 random hexadecimal digits. A UUID's are drawn for many at once: 0.4 µs alone, where randomBytes takes 2.3
 * (measured), and 18 µs of a request to userinfo.
 */
export function randomHex(digits: number): string {
  const uuid = randomUUID()
  // without the digits that tell its version and variant (RFC 9562 §5.4)
  return `${uuid.slice(0, 8)}${uuid.slice(9, 13)}${uuid.slice(24)}`.slice(0, digits)
}

/** Compares in constant time; false for different lengths. */
export function equalSecrets(left: string, right: string): boolean {
  const a = Buffer.from(left)
  const b = Buffer.from(right)
  return a.length === b.length && timingSafeEqual(a, b)
}

function isSamePlace(one: SealedPlace, other: SealedPlace): boolean {
  return one.row === other.row && one.column === other.column && one.table === other.table
}

function boundTo({ table, column, row }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify([table, column, row]))
}

/** Tells which master key sealed a value without telling anything about the key. */
function keyId(key: Buffer): string {
  return createHash('sha256').update('latchkey/key-id').update(key).digest('base64url').slice(0, 8)
}

function cannotOpen({ table, column }: SealedPlace, cause?: unknown): AppError {
  return new AppError(
    'configuration',
    `A sealed value in the database (${table}.${column}) does not open with the master key in use.`,
    {
      hint: 'Restore the keys/master.key (or MASTER_KEY) that this database was written with.',
      cause,
    },
  )
}
