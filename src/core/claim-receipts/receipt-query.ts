import { z } from 'zod'
import { isClientId } from '#core/clients/client-id.ts'
import { pageLimit, parseListQuery } from '#core/paging.ts'
import { passedSeconds, timedCursor } from '#core/timed-id.ts'

const query = z.strictObject({
  user: z.string().optional(),
  client: z.string().refine(isClientId, 'This can be no client id.').optional(),
  since: passedSeconds.optional(),
  limit: pageLimit,
  cursor: timedCursor.optional(),
})

/** `since` comes back in seconds, the cursor as an id. @throws AppError(invalid_input) with a sentence a member */
export function parseReceiptQuery(input: unknown): z.output<typeof query> {
  return parseListQuery(query, input)
}
