import { randomBytes } from 'node:crypto'

/** 128 random bits, URL-safe, and never taken for an option on a command line. */
export function newClientId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClientId() : id
}

/** Strangers send anything as client_id; what no client can have need not be looked up. */
export function isClientId(id: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(id)
}
