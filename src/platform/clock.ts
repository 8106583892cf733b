/** The only source of wall-clock time in our own code, so that tests can turn it. */
export interface Clock {
  /** Seconds since the epoch, as an integer: the unit of every time that is stored or sent. */
  now(): number
}

export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) }
