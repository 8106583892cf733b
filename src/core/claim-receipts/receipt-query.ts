import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { isClientId } from '#core/clients/client-id.ts'
import { FOREIGN_CURSOR, pageLimit, parseListQuery } from '#core/paging.ts'
import { durationSeconds } from '#platform/duration.ts'

const TIME_DIGITS = 10
const RANDOM_BYTES = 11

/** An id that sorts by its time (whole seconds). */
export function receiptId(at: number): string {
  return `${receiptTime(at)}${randomBytes(RANDOM_BYTES).toString('hex')}`
}

/** What the ids of this second begin with: greater than every id before it, smaller than every id of it. */
export function receiptTime(at: number): string {
  return Math.max(0, at).toString(16).padStart(TIME_DIGITS, '0')
}

export function cursorOf(id: string): string {
  return Buffer.from(id, 'hex').toString('base64url')
}

const SINCE_SENTENCE = 'A time that has passed is written as a number and s, m, h or d, such as 90m or 7d.'

const query = z.strictObject({
  user: z.string().optional(),
  client: z.string().refine(isClientId, 'This can be no client id.').optional(),
  since: z
    .string()
    .transform(durationSeconds)
    .refine((seconds) => seconds !== undefined, SINCE_SENTENCE)
    .optional(),
  limit: pageLimit,
  cursor: z
    .string()
    .transform((text) => Buffer.from(text, 'base64url').toString('hex'))
    .refine((id) => id.length === TIME_DIGITS + 2 * RANDOM_BYTES, FOREIGN_CURSOR)
    .optional(),
})

/** `since` comes back in seconds, the cursor as an id. @throws AppError(invalid_input) with a sentence a member */
export function parseReceiptQuery(input: unknown): z.output<typeof query> {
  return parseListQuery(query, input)
}
