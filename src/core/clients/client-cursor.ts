import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import { isClientId } from './client-id.ts'
import type { ClientPosition } from './store.ts'

const cursorShape = z.tuple([z.int(), z.string().refine(isClientId)])

/** The cursor of the page that follows the client. */
export function cursorAt({ createdAt, id }: ClientPosition): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
}

/** @throws AppError(invalid_input) for a cursor that is not ours */
export function positionIn(cursor: string): ClientPosition {
  try {
    const [createdAt, id] = cursorShape.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    return { createdAt, id }
  } catch (cause) {
    throw new AppError('invalid_input', 'The cursor is not one that a list of clients gave.', {
      hint: 'Start at the first page again.',
      cause,
    })
  }
}
