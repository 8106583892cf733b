/**
 * What tokens are signed with. The library takes for an algorithm what is enabled here and has a key; keys of the less
 * common ones are made when a client or an API is registered that asks for one, so discovery names them from then on. Those
 * signed with a client's secret need no key of ours.
 */
import type { Context } from 'koa'
import type { Configuration, JWKS } from 'oidc-provider'
import { TOKEN_ALGORITHMS, type SigningAlgorithm } from '#core/signing-keys/algorithms.ts'
import { AppError } from '#platform/errors.ts'

/** @throws AppError(unavailable) where a key for one of the algorithms is not loaded yet */
export type KeyCheck = (algorithms: readonly SigningAlgorithm[]) => Promise<void>

/** What proofs of possession are signed with: those that FAPI 2.0 §5.4.1 takes, Ed25519 under both its names (RFC 9864). */
const PROOF_ALGORITHMS = ['ES256', 'PS256', 'Ed25519', 'EdDSA'] as const

const JWKS_PATH = '/.well-known/jwks.json'

/** Everything that a client may have signed for it, and may sign its own request objects and assertions with. */
export function signedWith(): NonNullable<Configuration['enabledJWA']> {
  return {
    clientAuthSigningAlgValues: [...TOKEN_ALGORITHMS],
    idTokenSigningAlgValues: [...TOKEN_ALGORITHMS],
    userinfoSigningAlgValues: [...TOKEN_ALGORITHMS],
    introspectionSigningAlgValues: [...TOKEN_ALGORITHMS],
    authorizationSigningAlgValues: [...TOKEN_ALGORITHMS],
    requestObjectSigningAlgValues: [...TOKEN_ALGORITHMS],
    dPoPSigningAlgValues: [...PROOF_ALGORITHMS],
  }
}

/**
 * Meets the client or the API whose key this process has not loaded yet. Registration waits until every process should
 * have it, so it takes a stall to get here: the keys are looked up now, and the request may come again in a second.
 */
export function keysAreHere(jwks: JWKS, refreshKeys: () => Promise<void>): KeyCheck {
  const loaded = new Set(jwks.keys.map(({ alg }) => alg))
  return async (algorithms) => {
    if (algorithms.every((alg) => loaded.has(alg))) return
    await refreshKeys()
    throw new AppError('unavailable', 'The key of this application is just being published.', {
      hint: 'Try again in a moment.',
      retryAfterSeconds: 1,
    })
  }
}

/** Retired keys verify the hint of a sign-out, and the library has them for that; the JWKS does without. */
export function leaveOutRetired(ctx: Context, unpublished: ReadonlySet<string>): void {
  if (ctx.path !== JWKS_PATH || ctx.status !== 200) return
  // boundary: the library's own answer
  const { keys } = ctx.body as JWKS
  const type = ctx.type
  ctx.body = { keys: keys.filter(({ kid }) => kid === undefined || !unpublished.has(kid)) }
  ctx.type = type
}
