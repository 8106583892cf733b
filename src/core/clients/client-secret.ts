import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { SealedPlace, Secrets } from '#core/secrets.ts'
import type { Clock } from '#platform/clock.ts'
import { AppError } from '#platform/errors.ts'
import type { Client } from './client.ts'
import type { SealedPrevious } from './store.ts'

const MAX_OVERLAP_SECONDS = 30 * 86_400
const overlapSeconds = z.int().min(0).max(MAX_OVERLAP_SECONDS)
const rotationShape = z.strictObject({ overlap_seconds: overlapSeconds.default(0) }).prefault({})

/**
 * A fresh client secret: 384 bits in 64 letters that a URL can carry. As text it has the 64 bytes that HS512 asks of its
 * key (RFC 7518 §3.2), so that every client with a secret can have its tokens signed with it.
 */
export function newClientSecret(): string {
  return randomBytes(48).toString('base64url')
}

/** How long the secret that is replaced still holds, in seconds. @throws AppError(invalid_input) */
export function parseRotation(input: unknown): number {
  const parsed = rotationShape.safeParse(input)
  if (parsed.success) return parsed.data.overlap_seconds
  throw new AppError('invalid_input', 'The secret was not rotated.', {
    fields: { overlap_seconds: `The overlap is a whole number of seconds, at most ${MAX_OVERLAP_SECONDS} (30 days).` },
    hint: 'Say how long the old secret shall hold: --overlap 86400 is a day, and without it the old one ends at once.',
    cause: parsed.error,
  })
}

/** The secrets of clients as their rows keep them: sealed, each bound to its client and its column. */
export function clientSecrets(secrets: Secrets, clock: Clock) {
  const open = (id: string, sealed: string | undefined): string | undefined =>
    sealed === undefined ? undefined : secrets.open(newest(id), sealed)

  return {
    open,
    seal: (id: string, secret: string): string => secrets.seal(newest(id), secret),

    /** The secret before the newest, unless its time is over. */
    openPrevious(id: string, previous: SealedPrevious | undefined): Client['previousSecret'] {
      if (previous === undefined || previous.expiresAt <= clock.now()) return undefined
      return { secret: secrets.open(replaced(id), previous.sealed), expiresAt: previous.expiresAt }
    },

    /** The newest secret as the one before the newest, from now on. */
    asPrevious(id: string, sealed: string | undefined, seconds: number): SealedPrevious | undefined {
      const secret = seconds === 0 ? undefined : open(id, sealed)
      if (secret === undefined) return undefined
      return { sealed: secrets.seal(replaced(id), secret), expiresAt: clock.now() + seconds }
    },
  }
}

const newest = (id: string): SealedPlace => ({ table: 'clients', column: 'sealed_secret', row: id })
const replaced = (id: string): SealedPlace => ({ table: 'clients', column: 'sealed_previous_secret', row: id })
