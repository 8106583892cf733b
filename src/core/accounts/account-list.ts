import { z } from 'zod'
import { pageLimit } from '#core/paging.ts'
import { AppError } from '#platform/errors.ts'
import type { Account } from './account.ts'
import type { Position } from './store.ts'

export interface AccountPage {
  readonly items: readonly Account[]
  /** Asks for the page after this one; undefined on the last. */
  readonly next: string | undefined
}

export interface AccountListQuery {
  /** Part of a user name, an e-mail address or a name. */
  readonly search?: string | undefined
  /** 1 to 500, 50 unless told. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

const position = z.tuple([z.int(), z.string()])

const query = z.strictObject({
  search: z
    .string()
    .trim()
    .max(256, 'The search is too long: use at most 256 characters.')
    .refine((text) => !/\p{Cc}/u.test(text), 'The search holds control characters: remove them.')
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
  limit: pageLimit,
  cursor: z.string().transform(positionOf).optional(),
})

/**
 * A page as a door was asked for it; numbers may come as text.
 * @throws AppError(invalid_input) with a sentence for each member that cannot be taken
 */
export function parseAccountListQuery(input: unknown): z.output<typeof query> {
  const parsed = query.safeParse(input)
  if (parsed.success) return parsed.data
  throw new AppError('invalid_input', 'The list was not read.', {
    fields: Object.fromEntries(parsed.error.issues.map(({ path, message }) => [String(path[0] ?? 'query'), message])),
    hint: 'Correct what is named above and try again.',
  })
}

export function cursorAfter({ createdAt, id }: Position): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
}

function positionOf(cursor: string, context: z.core.$RefinementCtx): Position {
  try {
    const [createdAt, id] = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return { createdAt, id }
  } catch {
    context.addIssue({
      code: 'custom',
      message: 'The cursor is not one of ours: give the "next" of the page before, unchanged.',
    })
    return z.NEVER
  }
}
