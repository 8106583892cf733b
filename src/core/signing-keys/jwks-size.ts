import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import { asPublished } from './key-ring.ts'
import { keyState, MAX_JWKS_BYTES } from './key-state.ts'
import type { SealedKey } from './store.ts'

const jwk = z.looseObject({ x5c: z.array(z.string()).exactOptional() })

/** @throws AppError(conflict) where the JWKS of these keys would be larger than verifiers can be asked to read */
export function mustFit(keys: readonly SealedKey[], now: number): void {
  const bytes = keys
    .map((key) => JSON.stringify(asPublished(jwk.parse(JSON.parse(key.publicJwk)), keyState(key, now))).length + 1)
    .reduce((sum, length) => sum + length, 0)
  if (bytes <= MAX_JWKS_BYTES) return
  const roomAt = Math.min(...keys.flatMap(({ unpublishedAt, goneAt }) => unpublishedAt ?? goneAt ?? []))
  throw new AppError(
    'conflict',
    `${keys.length} keys would be published; a JWKS of ${Math.ceil(bytes / 1024)} KiB is too large for some verifiers.`,
    {
      hint: Number.isFinite(roomAt)
        ? `The oldest leaves on ${new Date(roomAt * 1000).toUTCString()}; rotate again after that.`
        : 'Smaller keys take less room.',
    },
  )
}
