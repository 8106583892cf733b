import { z } from 'zod'

const SENTENCE = 'The limit must be a whole number from 1 to 500.'

/** How many of a list one page holds; numbers may come as text. */
export const pageLimit = z.coerce.number(SENTENCE).int(SENTENCE).min(1, SENTENCE).max(500, SENTENCE).default(50)
