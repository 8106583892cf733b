/** After a refused attempt: five attempts in about ten minutes, which is as long as a restart or a deployment takes. */
const PAUSES_SECONDS = [5, 30, 120, 420]

/** When to try again after so many attempts, in seconds since the epoch; undefined where it was the last. */
export function nextAttemptAt(attempts: number, now: number): number | undefined {
  const pause = PAUSES_SECONDS[attempts - 1]
  return pause === undefined ? undefined : now + pause
}
