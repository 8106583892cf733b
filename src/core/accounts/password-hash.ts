/**
 * The spellings in which hashes of passwords come: our own, and those of the systems that people come from. A hash is
 * kept as it came until a sign-in puts one of ours in its place (passwords.ts). docs/import.md lists them for operators.
 */

export type PasswordHash =
  | {
      readonly scheme: 'argon2'
      /** As the argon2 library takes it. */
      readonly encoded: string
      readonly memoryKib: number
      readonly passes: number
      readonly lanes: number
    }
  | {
      readonly scheme: 'bcrypt'
      /** As the bcrypt library takes it. */
      readonly encoded: string
      readonly cost: number
      /** Django's way around the 72 bytes that bcrypt looks at: it is given the SHA-256 of the password, in hexadecimal. */
      readonly digestFirst: boolean
    }
  | {
      readonly scheme: 'pbkdf2'
      readonly digest: Digest
      readonly iterations: number
      readonly salt: Buffer
      readonly key: Buffer
    }
  | {
      readonly scheme: 'scrypt'
      readonly n: number
      readonly r: number
      readonly p: number
      readonly salt: Buffer
      readonly key: Buffer
    }

type Digest = 'sha1' | 'sha256' | 'sha512'
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 } as const

type Parts = Readonly<Record<string, string>>
interface Spelling {
  readonly pattern: RegExp
  readonly read: (parts: Parts) => PasswordHash
}

/** Numbers are short enough to be exact, whatever the text says. */
const SPELLINGS: readonly Spelling[] = [
  {
    // the PHC string format, with the parameters in any order and a salt of 8 bytes, without which argon2 does not run;
    // Django writes its own name before it
    pattern:
      /^(argon2)?(?<encoded>\$argon2(id|i|d)\$v=(16|19)\$(?<parameters>[mtp]=\d{1,9}(,[mtp]=\d{1,9}){2})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,})$/,
    read({ encoded = '', parameters = '' }) {
      const { m, t, p } = Object.fromEntries(parameters.split(',').map((parameter) => parameter.split('=')))
      return { scheme: 'argon2', encoded, memoryKib: Number(m), passes: Number(t), lanes: Number(p) }
    },
  },
  {
    pattern: /^(bcrypt\$|(?<digestFirst>bcrypt_sha256\$))?(?<encoded>\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53})$/,
    read: ({ encoded = '', cost, digestFirst }) => ({
      scheme: 'bcrypt',
      encoded,
      cost: Number(cost),
      digestFirst: digestFirst !== undefined,
    }),
  },
  {
    // Django: the salt is text
    pattern: /^pbkdf2_(?<digest>sha1|sha256|sha512)\$(?<i>\d{1,9})\$(?<salt>[ -#%-~]*)\$(?<key>[\w+/]+=*)$/,
    read: ({ salt = '', ...parts }) => pbkdf2Of(parts, Buffer.from(salt)),
  },
  {
    // the PHC string format as passlib and others write it; without a digest it is SHA-1
    pattern:
      /^\$pbkdf2(-(?<digest>sha1|sha256|sha512))?\$(i=)?(?<i>\d{1,9})(,l=\d{1,9})?\$(?<salt>[\w+./]*)=*\$(?<key>[\w+./]+)=*$/,
    read: ({ salt = '', ...parts }) => pbkdf2Of(parts, bytesOf(salt)),
  },
  {
    // Django: the salt is text
    pattern: /^scrypt\$(?<n>\d{1,9})\$(?<salt>[ -#%-~]*)\$(?<r>\d{1,9})\$(?<p>\d{1,9})\$(?<key>[\w+/]+=*)$/,
    read: ({ salt = '', n, ...parts }) => scryptOf(parts, Number(n), Buffer.from(salt)),
  },
  {
    pattern: /^\$scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,9}),p=(?<p>\d{1,9})\$(?<salt>[\w+./]*)=*\$(?<key>[\w+./]+)=*$/,
    read: ({ salt = '', ln, ...parts }) => scryptOf(parts, 2 ** Number(ln), bytesOf(salt)),
  },
]

/** What a hash is made of; undefined for a text in no spelling that is known. */
export function readPasswordHash(text: string): PasswordHash | undefined {
  for (const { pattern, read } of SPELLINGS) {
    const parts = pattern.exec(text)?.groups
    if (parts) return read(parts)
  }
  return undefined
}

/** Beyond these, a few sign-ins at once would be felt by everybody: about a second of one processor, or 128 MiB. */
const MOST = {
  memoryKib: 128 * 1_024,
  memoryKibTimesPasses: 512 * 1_024,
  lanes: 16,
  /** Each lane of each pass starts its own threads. */
  passesTimesLanes: 1_024,
  bcryptCost: 14,
  digests: 6_000_000,
  scryptBytes: 128 * 1_024 * 1_024,
  scryptBlocks: 2 ** 21,
} as const
const LEAST_KEY_BYTES = 16
const LEAST_SALT_BYTES = 4

/**
 * What is wrong with a hash that somebody is to be imported with, as a sentence; undefined where nothing is. Weak ones
 * are taken: leaving them behind would make no password stronger, the first sign-in does.
 */
export function passwordHashProblem(text: string): string | undefined {
  const hash = readPasswordHash(text)
  if (!hash) return 'The password hash is in none of the spellings that docs/import.md lists, or is cut off.'
  if ('key' in hash && (hash.key.length < LEAST_KEY_BYTES || hash.salt.length < LEAST_SALT_BYTES))
    return 'The password hash has no salt, or one that is too short, or is cut off.'
  return isPossible(hash) && isAffordable(hash)
    ? undefined
    : 'The password hash asks for more work than a sign-in may cost, or for none: leave it out, and set a password.'
}

function isPossible(hash: PasswordHash): boolean {
  switch (hash.scheme) {
    case 'argon2':
      return hash.passes >= 1 && hash.lanes >= 1 && hash.memoryKib >= 8 * hash.lanes
    case 'bcrypt':
      return hash.cost >= 4
    case 'pbkdf2':
      return hash.iterations >= 1
    case 'scrypt':
      // RFC 7914 §2: N is a power of two below 2^(128 r / 8)
      return (
        hash.n >= 2 && Number.isInteger(Math.log2(hash.n)) && hash.r >= 1 && hash.n < 2 ** (16 * hash.r) && hash.p >= 1
      )
  }
}

function isAffordable(hash: PasswordHash): boolean {
  switch (hash.scheme) {
    case 'argon2':
      return (
        hash.memoryKib <= MOST.memoryKib &&
        hash.memoryKib * hash.passes <= MOST.memoryKibTimesPasses &&
        hash.lanes <= MOST.lanes &&
        (hash.lanes === 1 || hash.passes * hash.lanes <= MOST.passesTimesLanes)
      )
    case 'bcrypt':
      return hash.cost <= MOST.bcryptCost
    case 'pbkdf2':
      return hash.iterations * Math.ceil(hash.key.length / DIGEST_BYTES[hash.digest]) <= MOST.digests
    case 'scrypt':
      return (
        128 * hash.r * (hash.n + hash.p) <= MOST.scryptBytes + 128 * 1_024 &&
        hash.n * hash.r * hash.p <= MOST.scryptBlocks
      )
  }
}

function pbkdf2Of({ digest = 'sha1', i, key = '' }: Parts, salt: Buffer): PasswordHash {
  // boundary: the patterns name no other digest
  return { scheme: 'pbkdf2', digest: digest as Digest, iterations: Number(i), salt, key: bytesOf(key) }
}

function scryptOf({ r, p, key = '' }: Parts, n: number, salt: Buffer): PasswordHash {
  return { scheme: 'scrypt', n, r: Number(r), p: Number(p), salt, key: bytesOf(key) }
}

/** passlib writes a dot where base64 has a plus. */
function bytesOf(base64: string): Buffer {
  return Buffer.from(base64.replaceAll('.', '+'), 'base64')
}
