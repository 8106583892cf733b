import { AppError } from '#platform/errors.ts'

/** What a door shows when a client is refused for these reasons, by the public name of each member. */
export function refusedClient(
  fields: Readonly<Record<string, string>>,
  hint = 'Mend what is named above and try again.',
): AppError {
  return new AppError('invalid_input', 'The client was refused; nothing was changed.', { fields, hint })
}
