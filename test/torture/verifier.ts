// F23: clients that verify ID tokens with a JWKS of their own age. Each keeps its copy for nearly as long as a new key is
// published before it signs, and never fetches it again sooner: a key that it does not know is a failure of the server.
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'

export interface Verifier {
  /** How many ID tokens were verified, each by every client. */
  verified(): number
  /** What a client could not verify; undefined where all could, or had no copy and could not get one. */
  verify(idToken: string): Promise<string | undefined>
}

const CLIENTS = 4

/** @param keepMs for how long a copy is kept at most */
export function openVerifier(issuer: string, keepMs: number): Verifier {
  let verified = 0
  // of different ages from the start
  const clients = Array.from({ length: CLIENTS }, (_, index) => cachingClient(issuer, (keepMs * (index + 1)) / CLIENTS))
  return {
    verified: () => verified,
    async verify(idToken) {
      for (const keys of clients) {
        const set = await keys()
        try {
          if (set) await jwtVerify(idToken, createLocalJWKSet(set), { issuer })
        } catch (error) {
          return `an ID token could not be verified: ${String(error)}`
        }
      }
      verified += 1
      return undefined
    },
  }
}

function cachingClient(issuer: string, keepMs: number): () => Promise<JSONWebKeySet | undefined> {
  let copy: { readonly set: JSONWebKeySet; readonly until: number } | undefined
  return async () => {
    if (copy && performance.now() < copy.until) return copy.set
    const response = await fetch(`${issuer}/.well-known/jwks.json`).catch(() => undefined)
    // boundary: the set is judged by the verification itself
    if (response?.ok) copy = { set: (await response.json()) as JSONWebKeySet, until: performance.now() + keepMs }
    else copy = undefined
    return copy?.set
  }
}
