/** A request that is sent as everybody's are, and its answer as it arrived. */
import type { Clock } from '#platform/clock.ts'
import { originFetch } from '#platform/fetch-own.ts'
import { parseJsonObject } from '#platform/json-object.ts'

/** For each request. */
export const PROBE_MS = 2_500
const MAX_BYTES = 262_144

export interface Answer {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined where it is not a JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined
  /** Epoch seconds, by the clock of who asked. */
  readonly receivedAt: number
}

export type Ask = (url: string, init?: RequestInit) => Promise<Answer>

/** Asks at the origin alone; rejects where its name leads nowhere. */
export async function asking(origin: string, clock: Clock): Promise<Ask> {
  const reachOrigin = await originFetch(origin, { timeoutMs: PROBE_MS, maxBytes: MAX_BYTES })
  return async (url, init) => {
    const response = await reachOrigin(url, init)
    const { status, headers } = response
    const text = await response.text()
    return { url, status, headers, text, json: objectIn(text), receivedAt: clock.now() }
  }
}

function objectIn(text: string): Answer['json'] {
  try {
    return parseJsonObject(text)
  } catch {
    return undefined
  }
}
