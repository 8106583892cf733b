import { calculateJwkThumbprint, type JWK } from 'jose'
import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import type { SigningAlgorithm } from './algorithms.ts'
import { keyMaterial, type KeyMaterial } from './generate.ts'
import { readPrivateKey } from './read-key.ts'

interface KnownKey {
  readonly kid: string
  readonly publicJwk: string
}

/**
 * A key out of a file, ready to be stored. It keeps its `kid`, so that tokens of its former house still name it, unless
 * that is taken or unfit to be typed; then it is named by its RFC 7638 thumbprint.
 * @param known every key there ever was: a key that was retired does not come back
 * @throws AppError(invalid_input, conflict)
 */
export async function importedKey(
  text: string,
  wanted: SigningAlgorithm | undefined,
  known: readonly KnownKey[],
  now: number,
): Promise<KeyMaterial> {
  const { alg, jwk, kid } = readPrivateKey(text, wanted)
  const thumbprint = await calculateJwkThumbprint(jwk)
  for (const key of known) {
    if ((await thumbprintOf(key)) === thumbprint) throw alreadyHere(key.kid)
  }
  const keeps = kid !== undefined && isFit(kid) && known.every((key) => key.kid !== kid)
  return keyMaterial(alg, keeps ? kid : thumbprint, jwk, now)
}

/** Fit for a terminal, a log and an argument. */
function isFit(kid: string): boolean {
  return /^[\w.~:+/=@][\w.~:+/=@-]{0,127}$/.test(kid)
}

const jwkShape = z.record(z.string(), z.unknown())

async function thumbprintOf({ publicJwk }: KnownKey): Promise<string> {
  // boundary: jose judges the members it needs
  const jwk = jwkShape.parse(JSON.parse(publicJwk)) as JWK
  return calculateJwkThumbprint(jwk)
}

function alreadyHere(kid: string): AppError {
  return new AppError('conflict', `This key is here already, or was once: it is ${kid}.`, {
    hint: 'See `latchkey key list`. A key belongs to one algorithm, and one that was retired does not come back.',
  })
}
