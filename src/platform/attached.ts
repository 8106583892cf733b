export interface Attached<T> {
  of(object: object): T | undefined
  to(object: object, value: T): void
}

/**
 * What is known of a request or the like, kept on the object itself under a key that nobody else has.
 *
 * A WeakMap would do the same at many times the price: until V8 has looked through its whole memory, it takes what a
 * WeakMap holds for alive. What is kept of a request outlives it, and where that leads back to the request, so does
 * everything the request has to do with.
 */
export function attached<T>(): Attached<T> {
  const key = Symbol('attached')
  return {
    // boundary: under this key stands what was put there below
    of: (object) => (object as Record<symbol, T | undefined>)[key],
    to: (object, value) => void ((object as Record<symbol, T | undefined>)[key] = value),
  }
}
