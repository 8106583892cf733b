/**
 * What carries a `jti` is used once: client assertions (RFC 7523 §3) and DPoP proofs (RFC 9449 §11.1). The library looks
 * and then writes, so of several uses at once all would pass; here the one insert that succeeds decides.
 */
import type { Provider } from 'oidc-provider'

/** Thrown by the adapter to all but the first who save the same `jti`. */
export class AlreadyUsed extends Error {
  constructor() {
    super('it was used before')
    this.name = 'AlreadyUsed'
  }
}

interface CountsUses {
  unique(iss: string, jti: string, exp: number): Promise<boolean>
}

/**
 * Tells the library of a use that lost against another in the words it has for one that came later. The method is one
 * that the library's types leave out; test/conformance/single-use.test.ts fails if it goes away.
 */
export function refuseParallelUses({ ReplayDetection }: Provider): void {
  // boundary: see above
  const model = ReplayDetection as unknown as CountsUses
  const looked = model.unique
  model.unique = async function (this: CountsUses, ...use) {
    try {
      return await looked.apply(this, use)
    } catch (error) {
      if (error instanceof AlreadyUsed) return false
      throw error
    }
  }
}
