import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Configuration } from 'oidc-provider'
import { equalSecrets, type Secrets } from '#core/secrets.ts'

export const COOKIE_FLAGS = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true } as const

/**
 * Cookie names, flags and signatures. On https the session cookie is `__Host-` and the interaction cookies, which need
 * a path, `__Secure-` (RFC 6265bis §4.1.3). The ids inside are random; the signature is a second lock.
 */
export function cookies(issuer: string, secrets: Secrets): NonNullable<Configuration['cookies']> {
  const https = issuer.startsWith('https:')
  return {
    // the library takes an array for Keygrip, or any object with Keygrip's three methods
    keys: cookieSigner(secrets),
    names: {
      session: `${https ? '__Host-' : ''}latchkey_session`,
      interaction: `${https ? '__Secure-' : ''}latchkey_interaction`,
      resume: `${https ? '__Secure-' : ''}latchkey_resume`,
    },
    long: COOKIE_FLAGS,
    short: COOKIE_FLAGS,
  }
}

export interface CookieSigner {
  sign(data: string): string
  verify(data: string, signature: string): boolean
  /** Which key made the signature, newest 0; -1 for none. */
  index(data: string, signature: string): number
}

/** HMAC-SHA-256 with prepared keys: Keygrip's own way (SHA-1, a string key) cost 16 % of a code flow's CPU. */
export function cookieSigner(secrets: Secrets): CookieSigner {
  const keys = secrets.derivedKeys('cookies').map((key) => createSecretKey(key))
  const mac = (key: KeyObject, data: string) => createHmac('sha256', key).update(data).digest('base64url')
  const index = (data: string, signature: string) => keys.findIndex((key) => equalSecrets(mac(key, data), signature))
  return {
    sign(data) {
      const [newest] = keys
      if (!newest) throw new Error('no cookie key was given')
      return mac(newest, data)
    },
    verify: (data, signature) => index(data, signature) >= 0,
    index,
  }
}
