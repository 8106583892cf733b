/**
 * Looks again and again, never twice at once. A failure is told once, and again only after a look that succeeded.
 * The returned function ends the watch and waits for a look under way. It keeps no process alive.
 */
export function watch(
  everyMs: number,
  look: () => Promise<void>,
  onFailure: (error: unknown) => void,
): () => Promise<void> {
  let looking: Promise<void> | undefined
  let failing = false
  const timer = setInterval(() => {
    looking ??= look()
      .then(
        () => void (failing = false),
        (error: unknown) => {
          if (!failing) onFailure(error)
          failing = true
        },
      )
      .finally(() => (looking = undefined))
  }, everyMs).unref()
  return async () => {
    clearInterval(timer)
    await looking
  }
}
