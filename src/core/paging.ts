/** Lists page by page: how large a page may be, what is said of a query that cannot be read, and the cursors. */
import { z } from 'zod'
import { AppError } from '#platform/errors.ts'

const SENTENCE = 'The limit must be a whole number from 1 to 500.'

export interface Page<Item> {
  readonly items: readonly Item[]
  /** The cursor of the page after this one; undefined on the last. */
  readonly next: string | undefined
}

/** Where a page ends, in a list that begins with the oldest. */
export interface Position {
  readonly createdAt: number
  readonly id: string
}

/** How many of a list one page holds; numbers may come as text. */
export const pageLimit = z.coerce.number(SENTENCE).int(SENTENCE).min(1, SENTENCE).max(500, SENTENCE).default(50)

/**
 * A query as a door was given it.
 * @throws AppError(invalid_input) with a sentence for each member that cannot be taken
 */
export function parseListQuery<Shape extends z.ZodType>(shape: Shape, input: unknown): z.output<Shape> {
  const parsed = shape.safeParse(input)
  if (parsed.success) return parsed.data
  throw unreadable(
    Object.fromEntries(parsed.error.issues.map(({ path, message }) => [String(path[0] ?? 'query'), message])),
  )
}

/** @param found the items of the page and, unless it is the last, one more */
export function pageOf<Item>(found: readonly Item[], limit: number, cursorOf: (last: Item) => string): Page<Item> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: found.length > limit && last ? cursorOf(last) : undefined }
}

export const FOREIGN_CURSOR = 'The cursor is not one of ours: give the "next" of the page before, unchanged.'

const position = z.tuple([z.int(), z.string().regex(/^[\x21-\x7e]{1,255}$/)])

export function cursorAt({ createdAt, id }: Position): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
}

/** @throws AppError(invalid_input) for a cursor that is not one of `cursorAt` */
export function positionIn(cursor: string): Position {
  try {
    const [createdAt, id] = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    return { createdAt, id }
  } catch {
    throw unreadable({ cursor: FOREIGN_CURSOR })
  }
}

function unreadable(fields: Readonly<Record<string, string>>): AppError {
  return new AppError('invalid_input', 'The list was not read.', {
    fields,
    hint: 'Correct what is named above and try again.',
  })
}
