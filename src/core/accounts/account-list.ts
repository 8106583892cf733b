import { z } from 'zod'
import { pageLimit, parseListQuery } from '#core/paging.ts'

export interface AccountListQuery {
  /** Part of a user name, an e-mail address or a name. */
  readonly search?: string | undefined
  /** 1 to 500, 50 unless told. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

const query = z.strictObject({
  search: z
    .string()
    .trim()
    .max(256, 'The search is too long: use at most 256 characters.')
    .refine((text) => !/\p{Cc}/u.test(text), 'The search holds control characters: remove them.')
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
  limit: pageLimit,
  cursor: z.string().optional(),
})

/** A page as a door was asked for it. @throws AppError(invalid_input) with a sentence for each member that cannot be taken */
export function parseAccountListQuery(input: unknown): z.output<typeof query> {
  return parseListQuery(query, input)
}
