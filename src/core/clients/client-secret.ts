import { randomBytes } from 'node:crypto'

/**
 * A fresh client secret: 384 bits in 64 letters that a URL can carry. As text it has the 64 bytes that HS512 asks of its
 * key (RFC 7518 §3.2), so that every client with a secret can have its tokens signed with it.
 */
export function newClientSecret(): string {
  return randomBytes(48).toString('base64url')
}
