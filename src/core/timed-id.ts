/** Ids that are in the order of their time, for lists that begin with the newest, and what such lists are asked. */
import { z } from 'zod'
import { FOREIGN_CURSOR } from '#core/paging.ts'
import { randomHex } from '#core/secrets.ts'
import { durationSeconds } from '#platform/duration.ts'

const TIME_DIGITS = 10
const RANDOM_DIGITS = 22

/**
 * An id that sorts by its time (whole seconds).
 * @param nth within a second, ids of one process sort by this, if it is given
 */
export function timedId(at: number, nth?: number): string {
  const order = nth === undefined ? '' : (nth % 2 ** 24).toString(16).padStart(6, '0')
  return `${timedIdStart(at)}${order}${randomHex(RANDOM_DIGITS - order.length)}`
}

/** What the ids of this second begin with: greater than every id before it, smaller than every id of it. */
export function timedIdStart(at: number): string {
  return Math.max(0, at).toString(16).padStart(TIME_DIGITS, '0')
}

export function cursorOf(id: string): string {
  return Buffer.from(id, 'hex').toString('base64url')
}

/** The id in a cursor of `cursorOf`. */
export const timedCursor = z
  .string()
  .transform((text) => Buffer.from(text, 'base64url').toString('hex'))
  .refine((id) => id.length === TIME_DIGITS + RANDOM_DIGITS, FOREIGN_CURSOR)

/** A time that has passed, such as `90m`, in seconds. */
export const passedSeconds = z
  .string()
  .transform(durationSeconds)
  .refine(
    (seconds) => seconds !== undefined,
    'A time that has passed is written as a number and s, m, h or d, such as 90m or 7d.',
  )
