/** Does a password belong to a hash, in whatever spelling the hash is kept? */
import { createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { verify as verifyArgon2 } from 'argon2'
import { readPasswordHash, type PasswordHash } from './password-hash.ts'

const derivePbkdf2 = promisify(pbkdf2)
// the type of promisify takes scrypt's shorter form
const deriveScrypt = (password: string, { n, r, p, salt, key }: Extract<PasswordHash, { scheme: 'scrypt' }>) =>
  new Promise<Buffer>((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 128 * r * (n + p + 2) }
    scrypt(password, salt, key.length, options, (error, derived) => (error ? reject(error) : resolve(derived)))
  })

/** The password as it is given: what is one password in several forms is the caller's to say. */
export async function isPasswordOf(stored: string, password: string): Promise<boolean> {
  const hash = readPasswordHash(stored)
  if (!hash) throw new Error('a hash is stored that is in no known spelling')
  switch (hash.scheme) {
    case 'argon2':
      return verifyArgon2(hash.encoded, password)
    case 'bcrypt':
      return verifyBcrypt(hash.encoded, hash.digestFirst ? sha256(password) : password)
    case 'pbkdf2': {
      const { salt, iterations, key, digest } = hash
      return timingSafeEqual(await derivePbkdf2(password, salt, iterations, key.length, digest), key)
    }
    case 'scrypt':
      return timingSafeEqual(await deriveScrypt(password, hash), hash.key)
  }
}

/** The library is JavaScript and takes a third of a second: in a thread of its own, which a first sign-in can afford. */
async function verifyBcrypt(encoded: string, password: string): Promise<boolean> {
  const thread = new Worker(new URL('./bcrypt-thread.ts', import.meta.url), { workerData: { encoded, password } })
  const [isRight]: unknown[] = await once(thread, 'message')
  return isRight === true
}

function sha256(password: string): string {
  return createHash('sha256').update(password).digest('hex')
}
